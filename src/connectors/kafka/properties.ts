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
import { MillraceError } from '../../errors.ts'

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

/** `wanted` says what would do; the value is not told, for it may be a secret. */
export function optionInvalid(table: string, option: string, wanted: string): MillraceError {
  return new MillraceError('KAFKA_OPTION_INVALID', {
    message: `table ${table}: '${option}' can't be used as it is`,
    hint: wanted,
    facts: { table, option },
  })
}
