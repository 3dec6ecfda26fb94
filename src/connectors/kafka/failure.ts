/** What the client and brokers say when something fails, as errors of ours: whose fault it is, and whether waiting helps. */
import { type ErrorCode, MillraceError } from '../../errors.ts'

/** Error codes of the protocol that are told apart. @see https://kafka.apache.org/protocol#protocol_error_codes */
export const CODE = {
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopic: 3,
  messageTooLarge: 10,
  recordListTooLarge: 18,
  topicExists: 36,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTransactionState: 48,
  invalidProducerIdMapping: 49,
  invalidTransactionTimeout: 50,
  concurrentTransactions: 51,
  operationNotAttempted: 55,
  unknownProducerId: 59,
  offsetNotAvailable: 78,
  producerFenced: 90,
  unknownTopicId: 100,
} as const

const DENIED: ReadonlySet<number> = new Set([29, 30, 31, 53, 54, 65])
/** What passes by itself: leaders and coordinators that move, load, or are not known yet. */
const PASSING: ReadonlySet<number> = new Set([
  ...[3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 52, 56, 72, 74, 75, 78, 88, 89, 100],
])

export function isPassing(code: number): boolean {
  return PASSING.has(code)
}

/** `code` of the protocol, told of `what`, on the cluster at `servers`. */
export function brokerError(
  what: string,
  code: number,
  names: Readonly<Record<number, string>>,
  servers: string,
): MillraceError {
  const name = names[code] ?? `error ${code}`
  const facts = { servers, code, name }
  if (DENIED.has(code))
    return new MillraceError('KAFKA_DENIED', {
      message: `${what}: the broker denies it (${name})`,
      hint: 'give the principal the right by an ACL, or connect as another one',
      facts,
    })
  return new MillraceError(PASSING.has(code) ? 'KAFKA_UNREACHABLE' : 'KAFKA_REQUEST_FAILED', {
    message: `${what}: the broker answers ${name}`,
    hint: PASSING.has(code)
      ? 'it passes when leaders and coordinators are elected again; if not, look at the brokers'
      : "look the error up in Kafka's protocol guide, and at the broker's log",
    facts,
  })
}

/** What a request or a connection failed with. Secrets never stand in the client's messages; ours repeat only their texts. */
export function clientError(what: string, cause: unknown, servers: string): MillraceError {
  if (cause instanceof MillraceError) return cause
  const chain = causesOf(cause)
  const told = chain.map((each) => each.message)
  const innermost = told.at(-1) ?? String(cause)
  const make = (code: ErrorCode, message: string, hint: string) =>
    new MillraceError(code, { message, hint, facts: { servers }, cause })
  const isAuthentication = chain.some(
    (each) => 'code' in each && each.code === 'PLT_KFK_AUTHENTICATION',
  )
  if (isAuthentication)
    return make(
      'KAFKA_AUTHENTICATION_FAILED',
      `${what}: ${servers} does not let us in: ${innermost}`,
      "check 'properties.sasl.mechanism' and the user, password or token",
    )
  if (told.some((text) => /requires TLS|TLS|certificate|self-signed|SSL|alert/i.test(text)))
    return make(
      'KAFKA_AUTHENTICATION_FAILED',
      `${what}: no TLS connection to ${servers}: ${innermost}`,
      "check 'properties.security.protocol', the port, and the certificates ('properties.ssl.truststore...', 'properties.ssl.keystore...')",
    )
  return make(
    'KAFKA_UNREACHABLE',
    `${what}: ${servers} does not answer: ${innermost}`,
    "check 'properties.bootstrap.servers', that the brokers run, and that their advertised listeners can be reached from here",
  )
}

/** The error and what caused it, outermost first. */
function causesOf(error: unknown): Error[] {
  const found: Error[] = []
  const visit = (each: unknown): void => {
    if (!(each instanceof Error) || found.length > 16 || found.includes(each)) return
    found.push(each)
    if (each instanceof AggregateError) for (const inner of each.errors) visit(inner)
    visit(each.cause)
  }
  visit(error)
  return found
}
