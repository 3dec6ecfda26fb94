/** One request and what comes of it, as a value: answered, to be tried again, or refused for good. */
import type { HttpAnswer, HttpRequest } from '../../ports/http.ts'
import type { Ports } from '../../ports/ports.ts'

export type Exchanged =
  | { readonly kind: 'answered'; readonly answer: HttpAnswer }
  /** `afterMs`: what the server asks to be waited. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }

export interface RetryPolicy {
  readonly retriesMax: number
  readonly backoffMs: number
  readonly retryAfterMsMax: number
}

/** Time-outs, too early, too many: what the same request may be answered well later. All 5xx are too. */
const PASSING = new Set([408, 425, 429])
const BACKOFF_MS_MAX = 30_000
/** Of what a server says to a refusal. */
const REASON_LENGTH_MAX = 300

/** @param isGood the statuses that are an answer; 200 to 299 unless told */
export async function exchange(
  { http, clock }: Pick<Ports, 'http' | 'clock'>,
  request: HttpRequest,
  isGood: (status: number) => boolean = (status) => status >= 200 && status < 300,
): Promise<Exchanged> {
  let answer: HttpAnswer
  try {
    answer = await http(request)
  } catch (error) {
    return { kind: 'retry', reason: error instanceof Error ? error.message : String(error) }
  }
  const { status } = answer
  if (isGood(status)) return { kind: 'answered', answer }
  const said = new TextDecoder().decode(answer.body.subarray(0, REASON_LENGTH_MAX)).trim()
  const reason = said === '' ? `status ${status}` : `status ${status}: ${said}`
  if (status < 500 && !PASSING.has(status)) return { kind: 'refused', status, reason }
  const afterMs = retryAfterMs(answer.headers['retry-after'], clock.nowMs())
  return { kind: 'retry', reason, ...(afterMs === undefined ? {} : { afterMs }) }
}

/** Tries again, waiting longer each time, while what comes may pass. */
export async function exchangePatiently(
  ports: Pick<Ports, 'http' | 'clock'>,
  request: HttpRequest,
  { retriesMax, backoffMs, retryAfterMsMax }: RetryPolicy,
  stop?: AbortSignal,
  isGood?: (status: number) => boolean,
): Promise<Exchanged> {
  for (let retries = 0; ; retries++) {
    const came = await exchange(ports, request, isGood)
    if (came.kind !== 'retry' || retries >= retriesMax || stop?.aborted) return came
    const ownMs = Math.min(backoffMs * 2 ** retries, BACKOFF_MS_MAX)
    const askedMs = Math.min(came.afterMs ?? 0, retryAfterMsMax)
    await ports.clock.sleep(Math.max(ownMs, askedMs), stop)
    if (stop?.aborted) return came
  }
}

/** Seconds, or a date. @see RFC 9110, section 10.2.3 */
function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
