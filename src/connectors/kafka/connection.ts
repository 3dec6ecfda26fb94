/** How a broker is reached, from a table's properties: addresses, TLS and who one is. */
import { isIP } from 'node:net'
import type { ConnectionOptions } from '@platformatic/kafka'
import type { Ports } from '../../ports/ports.ts'
import { readNamedFile } from '../named-file.ts'
import { bearerToken, tokenRefusal } from './bearer-token.ts'
import { optionInvalid, type Properties } from './properties.ts'

/** @throws KAFKA_OPTION_INVALID, FILE_MISSING */
export function connectionOptions(properties: Properties, ports: Ports): ConnectionOptions {
  const protocol = properties.get('security.protocol') ?? 'PLAINTEXT'
  const known = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
  if (!known.includes(protocol))
    throw optionInvalid(properties.table, 'properties.security.protocol', known.join(', '))
  return {
    connectTimeout: properties.number('socket.connection.setup.timeout.ms', 10_000),
    requestTimeout: properties.number('request.timeout.ms', 30_000),
    ...(protocol.endsWith('SSL')
      ? { tls: tlsOptions(properties, ports), tlsServerName: areNamed(properties) }
      : {}),
    ...(protocol.startsWith('SASL') ? { sasl: saslOptions(properties, ports) } : {}),
  }
}

/** Brokers behind one address, as managed ones are, are told apart by the name that TLS is begun with; an address is none. */
function areNamed(properties: Properties): boolean {
  const servers = properties.get('bootstrap.servers') ?? ''
  return servers.split(',').some((server) => isIP(hostOf(server.trim())) === 0)
}

function hostOf(server: string): string {
  return server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
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
    return path === undefined
      ? undefined
      : readNamedFile(ports, table, `properties.${name}`, path).toString('utf8')
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
      pfx: readNamedFile(ports, table, 'properties.ssl.keystore.location', location),
      ...passphrase,
    }
  throw optionInvalid(
    table,
    'properties.ssl.keystore.type',
    `PEM and PKCS12 are read, not ${type}: keytool -importkeystore -deststoretype PKCS12 writes one`,
  )
}
