/**
 * `properties.*`: the names are those of Kafka's own clients, as in Flink. What concerns the connection is read here.
 *
 *   security.protocol   PLAINTEXT | SSL | SASL_PLAINTEXT | SASL_SSL
 *   sasl.mechanism      PLAIN | SCRAM-SHA-256 | SCRAM-SHA-512 | OAUTHBEARER | AWS_MSK_IAM
 *   sasl.jaas.config    '... required username="u" password="p";' (or clientId, clientSecret, scope for OAUTHBEARER); or in two options
 *                       sasl.username, sasl.password
 *   ssl.truststore.*    type PEM: location or certificates; absent: the certificates of Node
 *   ssl.keystore.*      type PEM: location (key and chain in one file) or key and certificate.chain; type PKCS12: location, password
 */
import type { ConnectionOptions } from '@platformatic/kafka'
import { MillraceError } from '../../errors.ts'
import type { Ports } from '../../ports/ports.ts'
import { bearerToken, tokenRefusal } from './bearer-token.ts'

export interface Properties {
  readonly table: string
  /** Without 'properties.' in front. */
  get(name: string): string | undefined
  number(name: string, fallback: number): number
}

const PREFIX = 'properties.'
/** Settings of Kafka's clients that change nothing of what a table gives or takes: heeded where we have the same knob, else left. */
const TUNING =
  /^(allow\.auto\.create\.topics|auto\.(commit\.interval\.ms|offset\.reset)|batch\.size|buffer\.memory|check\.crcs|client\.(dns\.lookup|id|rack)|compression\..*|connections\.max\.idle\.ms|commit\.offsets\.on\.checkpoint|default\.api\.timeout\.ms|delivery\.timeout\.ms|enable\.(auto\.commit|idempotence|metrics\.push)|exclude\.internal\.topics|fetch\..*|group\..*|heartbeat\.interval\.ms|interceptor\.classes|isolation\.level|key\.(de)?serializer|linger\.ms|max\..*|metadata\..*|metrics?\..*|metric\.reporters|partition\..*|partitioner\..*|receive\.buffer\.bytes|reconnect\..*|register\.consumer\.metrics|request\.timeout\.ms|retr(y|ies).*|sasl\.login\..*|sasl\.oauthbearer\..*|send\.buffer\.bytes|session\.timeout\.ms|socket\..*|transaction\.timeout\.ms|value\.(de)?serializer)$/
const CONNECTION: readonly string[] = [
  'acks',
  'bootstrap.servers',
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'sasl.username',
  'sasl.password',
  'sasl.client.callback.handler.class',
  'ssl.endpoint.identification.algorithm',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.certificates',
  'ssl.truststore.password',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.key',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.password',
  'ssl.key.password',
]

/** @throws KAFKA_OPTION_INVALID if a property is none of Kafka's clients' */
export function propertiesOf(table: string, options: Readonly<Record<string, string>>): Properties {
  for (const key of Object.keys(options)) {
    if (!key.startsWith(PREFIX)) continue
    const name = key.slice(PREFIX.length)
    if (!CONNECTION.includes(name) && !TUNING.test(name))
      throw optionInvalid(table, key, 'it is no setting of Kafka that is known here')
  }
  const get = (name: string) => options[PREFIX + name]
  return {
    table,
    get,
    number(name, fallback) {
      const text = get(name)
      if (text === undefined) return fallback
      const value = Number(text)
      if (Number.isSafeInteger(value)) return value
      throw optionInvalid(table, PREFIX + name, 'it is a whole number')
    },
  }
}

/** @throws KAFKA_OPTION_INVALID, FILE_MISSING */
export function connectionOptions(properties: Properties, ports: Ports): ConnectionOptions {
  const protocol = properties.get('security.protocol') ?? 'PLAINTEXT'
  const known = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
  if (!known.includes(protocol))
    throw optionInvalid(properties.table, 'properties.security.protocol', known.join(', '))
  return {
    connectTimeout: properties.number('socket.connection.setup.timeout.ms', 10_000),
    requestTimeout: properties.number('request.timeout.ms', 30_000),
    ...(protocol.endsWith('SSL') ? { tls: tlsOptions(properties, ports) } : {}),
    ...(protocol.startsWith('SASL') ? { sasl: saslOptions(properties, ports) } : {}),
  }
}

type Sasl = NonNullable<ConnectionOptions['sasl']>
type Tls = NonNullable<ConnectionOptions['tls']>

function saslOptions(properties: Properties, ports: Ports): Sasl {
  const mechanism = properties.get('sasl.mechanism') ?? 'GSSAPI'
  const jaas = jaasOptions(properties.get('sasl.jaas.config') ?? '')
  switch (mechanism) {
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const username = properties.get('sasl.username') ?? jaas.username
      const password = properties.get('sasl.password') ?? jaas.password
      if (username === undefined || password === undefined)
        throw optionInvalid(
          properties.table,
          'properties.sasl.jaas.config',
          `${mechanism} needs a user and a password: '... required username="u" password="\${env:NAME}";', or properties.sasl.username and properties.sasl.password`,
        )
      return { mechanism, username, password }
    }
    case 'OAUTHBEARER':
    case 'AWS_MSK_IAM':
      return {
        mechanism: 'OAUTHBEARER',
        ...bearerToken(properties, mechanism, jaas, ports),
        authBytesValidator(answer, callback) {
          const refusal = tokenRefusal(answer)
          if (refusal === undefined) callback(null, answer)
          else callback(new Error(`the broker refuses the token: ${refusal}`))
        },
      }
    default:
      throw optionInvalid(
        properties.table,
        'properties.sasl.mechanism',
        'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER and AWS_MSK_IAM are there; for Kerberos add a listener with one of them',
      )
  }
}

/** The name="value" pairs of a JAAS entry; quotes are escaped with a backslash. */
function jaasOptions(text: string): Readonly<Record<string, string>> {
  const pairs = text.matchAll(/([\w.-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g)
  const found: Record<string, string> = Object.create(null)
  for (const [, name, quoted, bare] of pairs)
    found[name!] = quoted === undefined ? bare! : quoted.replace(/\\(.)/g, '$1')
  return found
}

function tlsOptions(properties: Properties, ports: Ports): Tls {
  const { table } = properties
  const file = (name: string): string | undefined => {
    const path = properties.get(name)
    return path === undefined ? undefined : readFile(ports, table, `properties.${name}`, path)
  }
  const trust = properties.get('ssl.truststore.type') ?? 'PEM'
  if (trust !== 'PEM')
    throw optionInvalid(
      table,
      'properties.ssl.truststore.type',
      `only PEM is read, not ${trust}: keytool -exportcert -rfc writes it`,
    )
  const ca = properties.get('ssl.truststore.certificates') ?? file('ssl.truststore.location')
  const named = properties.get('ssl.endpoint.identification.algorithm')
  const checked = named === undefined || named !== ''
  return {
    ...(ca === undefined ? {} : { ca }),
    ...keyOptions(properties, ports, file),
    ...(checked ? {} : { checkServerIdentity: () => undefined }),
  }
}

function keyOptions(
  properties: Properties,
  ports: Ports,
  file: (name: string) => string | undefined,
): Tls {
  const { table } = properties
  const location = properties.get('ssl.keystore.location')
  const given = properties.get('ssl.keystore.type')
  const type = given ?? (location === undefined || location.endsWith('.pem') ? 'PEM' : 'JKS')
  const password = properties.get('ssl.key.password') ?? properties.get('ssl.keystore.password')
  const passphrase = password === undefined ? {} : { passphrase: password }
  if (type === 'PEM') {
    const key = properties.get('ssl.keystore.key') ?? file('ssl.keystore.location')
    const cert = properties.get('ssl.keystore.certificate.chain') ?? file('ssl.keystore.location')
    return key === undefined || cert === undefined ? {} : { key, cert, ...passphrase }
  }
  if (type === 'PKCS12' && location !== undefined)
    return {
      pfx: readBytes(ports, table, 'properties.ssl.keystore.location', location),
      ...passphrase,
    }
  throw optionInvalid(
    table,
    'properties.ssl.keystore.type',
    `PEM and PKCS12 are read, not ${type}: keytool -importkeystore -deststoretype PKCS12 writes one`,
  )
}

function readFile(ports: Ports, table: string, option: string, path: string): string {
  return readBytes(ports, table, option, path).toString('utf8')
}

function readBytes({ files }: Ports, table: string, option: string, path: string): Buffer {
  if (files.stat(path) === undefined)
    throw new MillraceError('FILE_MISSING', {
      message: `table ${table}: '${option}' names ${path}, which is not there`,
      hint: 'give the path of a file, from the root',
      facts: { table, option, path },
    })
  const handle = files.open(path, 'read')
  try {
    const bytes = Buffer.alloc(handle.bytes())
    handle.read(bytes, 0)
    return bytes
  } finally {
    handle.close()
  }
}

/** `wanted` says what would do; the value is not told, for it may be a secret. */
export function optionInvalid(table: string, option: string, wanted: string): MillraceError {
  return new MillraceError('KAFKA_OPTION_INVALID', {
    message: `table ${table}: '${option}' can't be used as it is`,
    hint: wanted,
    facts: { table, option },
  })
}
