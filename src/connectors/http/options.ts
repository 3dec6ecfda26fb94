/** The options of `http`, read once, so that what is wrong shows before any row. */
import type { Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { ConnectorOption } from '../contract/connector.ts'
import { DURATION_HINT, durationMs } from '../durations.ts'
import { formatOptions } from '../formats.ts'
import { LOOKUP_OPTIONS } from '../lookup-options.ts'
import { bodyTemplate, type Template, TemplateFault, urlTemplate } from './template.ts'

type Options = Readonly<Record<string, string>>

const HEADER_PREFIX = 'header.'
/** Made by the connector, or of the connection: not the table's to set. */
const HEADERS_OWN = new Set([
  'content-length',
  'idempotency-key',
  'host',
  'connection',
  'transfer-encoding',
])

const FORMAT = formatOptions('format', { fallback: 'json', textOnly: true })
  .filter(({ name }) => name === 'format' || name.startsWith('json.'))
  .map((option) => (option.name === 'format' ? { ...option, values: ['json'] } : option))

export const HTTP_OPTIONS: readonly ConnectorOption[] = [
  {
    name: 'url',
    kind: 'string',
    required: true,
    secret: true,
    summary: "http:// or https://; {{column}} stands for a row's value, percent-encoded",
  },
  ...FORMAT,
  {
    name: HEADER_PREFIX,
    kind: 'string',
    required: false,
    secret: true,
    isPrefix: true,
    summary:
      "A header of each request: 'header.Authorization' = 'Bearer ...'; what is secret comes from the environment or a file",
  },
  {
    name: 'request.timeout',
    kind: 'duration',
    required: false,
    fallback: '10 s',
    summary: 'How long an answer is awaited, from the beginning of the request to its end',
  },
  {
    name: 'method',
    kind: 'enum',
    values: ['POST', 'PUT'],
    required: false,
    fallback: 'POST',
    summary: 'How rows are sent',
  },
  {
    name: 'body.template',
    kind: 'string',
    required: false,
    secret: true,
    summary: 'JSON with "{{column}}" in its texts; the whole row as a JSON object unless told',
  },
  {
    name: 'sink.delivery-guarantee',
    kind: 'enum',
    values: ['at-least-once', 'exactly-once'],
    required: false,
    fallback: 'at-least-once',
    summary:
      "'exactly-once' says of the receiver that it takes each Idempotency-Key once: requests are the same either way",
  },
  {
    name: 'sink.on-refusal',
    kind: 'enum',
    values: ['stop', 'dead'],
    required: false,
    fallback: 'stop',
    summary:
      "What a request that is refused for good does: 'stop' the pipeline, which keeps it; or 'dead', the row goes to $dead",
  },
  {
    name: 'sink.max-in-flight',
    kind: 'int',
    required: false,
    fallback: '1',
    summary: 'Requests at one time, 1 to 64; with 1 they come in the order of rows',
  },
  {
    name: 'sink.max-retries',
    kind: 'int',
    required: false,
    fallback: '5',
    summary:
      'How often a request is tried again before the pipeline is restarted to try on, 0 to 100',
  },
  {
    name: 'sink.retry-backoff',
    kind: 'duration',
    required: false,
    fallback: '500 ms',
    summary:
      "The wait before the first retry; doubled up to 30 s. A longer Retry-After counts, up to 'sink.retry-after-max'",
  },
  {
    name: 'sink.retry-after-max',
    kind: 'duration',
    required: false,
    fallback: '1 min',
    summary: 'The longest Retry-After that is waited for',
  },
  {
    name: 'sink.commit-interval',
    kind: 'duration',
    required: false,
    summary: 'Least time between two times of sending; at each checkpoint unless told',
  },
  ...LOOKUP_OPTIONS,
]

export interface HttpRequests {
  readonly url: Template
  /** Where the requests go, without what may be secret in it: for messages. */
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export interface HttpSinkSettings extends HttpRequests {
  readonly method: 'POST' | 'PUT'
  /** Undefined: the whole row. */
  readonly body: Template | undefined
  readonly onRefusal: 'stop' | 'dead'
  readonly inFlightMax: number
  readonly retriesMax: number
  readonly backoffMs: number
  readonly retryAfterMsMax: number
}

/** @throws HTTP_OPTION_INVALID, which tells no option's value */
export function sinkSettings(table: string, options: Options, schema: Schema): HttpSinkSettings {
  const number = numbersOf(table, options)
  const text = options['body.template']
  const body =
    text === undefined ? undefined : templateOf(table, 'body.template', () => bodyTemplate(text))
  for (const [option, template] of [
    ['body.template', body],
    ['url', urlTemplate(options.url!)],
  ] as const)
    requireColumns(table, option, template, schema)
  return {
    ...requestsOf(table, options),
    method: options.method === 'PUT' ? 'PUT' : 'POST',
    body,
    onRefusal: options['sink.on-refusal'] === 'dead' ? 'dead' : 'stop',
    inFlightMax: number('sink.max-in-flight', 1, 64),
    retriesMax: number('sink.max-retries', 0, 100),
    backoffMs: durationOf(table, options, 'sink.retry-backoff'),
    retryAfterMsMax: durationOf(table, options, 'sink.retry-after-max'),
  }
}

/** @throws HTTP_OPTION_INVALID */
export function requestsOf(table: string, options: Options): HttpRequests {
  const text = options.url!
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw optionInvalid(table, 'url', 'an address that begins with http:// or https://')
  if (parsed.username !== '' || parsed.password !== '')
    throw optionInvalid(
      table,
      'url',
      "without user and password: 'header.Authorization' says who asks",
    )
  if (/^https?:\/\/[^/?#]*[{}]/.test(text))
    throw optionInvalid(table, 'url', 'rows may stand behind the host only')
  return {
    url: urlTemplate(text),
    origin: parsed.origin,
    headers: headersOf(table, options),
    timeoutMs: durationOf(table, options, 'request.timeout'),
  }
}

function headersOf(table: string, options: Options): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null)
  for (const [option, value] of Object.entries(options)) {
    if (!option.startsWith(HEADER_PREFIX)) continue
    const name = option.slice(HEADER_PREFIX.length)
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || HEADERS_OWN.has(name.toLowerCase()))
      throw optionInvalid(
        table,
        option,
        "a header that is not the connection's or the connector's own",
      )
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what a header can't hold
    if (/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value))
      throw optionInvalid(table, option, 'one line of Latin letters')
    headers[name.toLowerCase()] = value
  }
  return headers
}

export function durationOf(table: string, options: Options, option: string): number {
  const ms = durationMs(options[option]!)
  if (ms === undefined) throw optionInvalid(table, option, DURATION_HINT)
  return ms
}

/** Reads whole numbers in a range. @throws HTTP_OPTION_INVALID */
export function numbersOf(
  table: string,
  options: Options,
): (option: string, least: number, most: number) => number {
  return (option, least, most) => {
    const text = options[option]!
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw optionInvalid(table, option, `a whole number from ${least} to ${most}`)
  }
}

function templateOf<Made>(table: string, option: string, make: () => Made): Made {
  try {
    return make()
  } catch (error) {
    if (error instanceof TemplateFault) throw optionInvalid(table, option, error.message)
    throw error
  }
}

function requireColumns(
  table: string,
  option: string,
  template: Template | undefined,
  schema: Schema,
): void {
  const names = schema.map(({ name }) => name)
  const missing = template?.columns.find((column) => !names.includes(column))
  if (missing === undefined) return
  throw optionInvalid(table, option, `{{${missing}}} is no column; columns are ${names.join(', ')}`)
}

/** The value is not told: it may be a secret. */
export function optionInvalid(table: string, option: string, wanted: string): MillraceError {
  return new MillraceError('HTTP_OPTION_INVALID', {
    message: `table ${table}: '${option}' can't be used as it is`,
    hint: wanted,
    facts: { table, option },
  })
}
