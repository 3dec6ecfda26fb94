/**
 * A service that is asked for the rows of a key: GET, with the key in the URL.
 *
 *   200, a JSON object        one row
 *   200, an array of objects  so many rows
 *   200 null, 204, 404        none
 *
 * Columns of the key have the values that were asked for, whatever is answered.
 */
import { withNullability } from '../../data/types.ts'
import { jsonText, type Row } from '../../data/values.ts'
import type { Lookup, LookupKey, LookupRequest } from '../contract/lookup.ts'
import {
  answerUnreadable,
  lookupFailed,
  lookupRefused,
  openAnswerReader,
} from '../lookup-answers.ts'
import { lookupSettings } from '../lookup-options.ts'
import { exchangePatiently } from './exchange.ts'
import { optionInvalid, requestsOf } from './options.ts'
import { urlTemplate } from './template.ts'

const ANSWER_BYTES_MAX = 1 << 20
const RETRY_AFTER_MS_MAX = 60_000
const NO_CONTENT = 204
const NOT_FOUND = 404

/** The columns in the URL; undefined if there are none. */
export function keyOf(options: Readonly<Record<string, string>>): readonly string[] | undefined {
  const { columns } = urlTemplate(options.url ?? '')
  return columns.length === 0 ? undefined : [...new Set(columns)]
}

/** @throws HTTP_OPTION_INVALID, OPTION_INVALID */
export async function openHttpLookup(request: LookupRequest): Promise<Lookup> {
  const { table, options, key, ports } = request
  const settings = lookupSettings(table, options)
  const { url, origin, headers, timeoutMs } = requestsOf(table, options)
  if (url.columns.length === 0)
    throw optionInvalid(table, 'url', 'with {{column}} for each column that rows are looked up by')
  const policy = {
    retriesMax: settings.retriesMax,
    backoffMs: settings.backoffMs,
    retryAfterMsMax: RETRY_AFTER_MS_MAX,
  }
  // They are known: an answer need not repeat them.
  const schema = request.schema.map(({ name, type }) => ({
    name,
    type: key.includes(name) ? withNullability(type, true) : type,
  }))
  const read = await openAnswerReader({ ...request, schema }, options)

  async function findOne(values: LookupKey, closing: AbortSignal): Promise<readonly Row[]> {
    const known = Object.fromEntries(key.map((name, at) => [name, values[at]!]))
    const asked = {
      method: 'GET',
      url: url.fill((column) => jsonText(known[column]!)),
      headers: { accept: 'application/json', ...headers },
      timeoutMs,
      answerBytesMax: ANSWER_BYTES_MAX,
    } as const
    const came = await exchangePatiently(ports, asked, policy, closing)
    if (came.kind === 'retry') throw lookupFailed(table, origin, came.reason)
    if (came.kind === 'refused' && came.status === NOT_FOUND) return []
    if (came.kind === 'refused')
      throw lookupRefused(
        table,
        origin,
        came.reason,
        `mend the service, or the options of ${table}`,
      )
    if (came.answer.status === NO_CONTENT) return []
    return read(textsIn(table, came.answer.body)).map((row) => ({ ...row, ...known }))
  }

  return {
    keysMax: 1,
    inFlightMax: settings.inFlightMax,
    cache: settings.cache,
    find: (keys, closing) => Promise.all(keys.map((values) => findOne(values, closing))),
    async close() {},
  }
}

/** @throws LOOKUP_REFUSED */
function textsIn(table: string, body: Uint8Array): readonly string[] {
  let text: string
  let parsed: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    parsed = JSON.parse(text)
  } catch {
    throw answerUnreadable(table, 'it is no JSON')
  }
  if (parsed === null) return []
  if (typeof parsed !== 'object')
    throw answerUnreadable(table, 'it is neither an object nor an array')
  if (!Array.isArray(parsed)) return [text]
  const inner = text.trim().slice(1, -1)
  return parsed.length === 0 ? [] : [inner]
}
