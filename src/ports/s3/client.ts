/**
 * Requests to an S3-compatible server: addressed, signed, and tried again where that can do no harm.
 *
 * What the server can't do now (500, 502, 503, SlowDown, no answer) is tried again, a little later each time. A conditional put is
 * not: its first try may have succeeded, so what became of it has to be looked at.
 */
import { MillraceError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import type { HttpAnswer, HttpSend } from '../http.ts'
import type { Random } from '../random.ts'
import { type Credentials, s3Encoded, s3Headers } from './signature.ts'

export interface S3Place {
  readonly bucket: string
  /** Before every key; '' or ending in '/'. */
  readonly prefix: string
}

export interface S3Options {
  readonly http: HttpSend
  readonly clock: Clock
  readonly random: Random
  readonly region: string
  /** 'https://host[:port]'; absent: AWS's own for the region. Buckets then stand in the path. */
  readonly endpoint?: string
  readonly credentials: Credentials
}

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** False where a second try could be told what the first one did. */
  readonly repeatable?: boolean
}

const TIMEOUT_MS = 30_000
const TRIES_MAX = 6
const BACKOFF_MS = 100
const ANSWER_BYTES_MAX = 1 << 30
const NONE = new Uint8Array()
const OVERLOADED = new Set([429, 500, 502, 503, 504])

/** Answers below 500; `undefined` if the last try had none, of a request that is not repeatable. */
export type S3Send = (request: S3Request) => Promise<HttpAnswer | undefined>

export function s3Client(options: S3Options, { bucket }: S3Place): S3Send {
  const { http, clock, random } = options
  const base = baseOf(options, bucket)

  async function sendOnce(request: S3Request): Promise<HttpAnswer> {
    const { method, key, headers = {}, body = NONE } = request
    const url = `${base}/${s3Encoded(key, true)}${queryText(request.query)}`
    return http({
      method,
      url,
      headers: s3Headers({
        method,
        url,
        headers,
        body,
        region: options.region,
        nowMs: clock.nowMs(),
        credentials: options.credentials,
      }),
      ...(method === 'GET' || method === 'DELETE' ? {} : { body }),
      timeoutMs: TIMEOUT_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
    })
  }

  return async (request) => {
    for (let tries = 1; ; tries++) {
      const answer = await sendOnce(request).catch((error: unknown) => ({ error }))
      const isAnswer = 'status' in answer
      if (isAnswer && !OVERLOADED.has(answer.status)) return refused(answer, request, bucket)
      if (request.repeatable === false) return undefined
      if (tries === TRIES_MAX) throw unreachable(request, bucket, answer)
      await clock.sleep(BACKOFF_MS * 2 ** (tries - 1) * (0.5 + random.next()))
    }
  }
}

function baseOf({ endpoint, region }: S3Options, bucket: string): string {
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${bucket}`
  // A dot in a bucket's name fits no certificate of a host below AWS's.
  if (bucket.includes('.')) return `https://s3.${region}.amazonaws.com/${bucket}`
  return `https://${bucket}.s3.${region}.amazonaws.com`
}

/** In order of the names, as the signature wants it. */
function queryText(query: S3Request['query']): string {
  const pairs = Object.entries(query ?? {}).sort(([left], [right]) => (left < right ? -1 : 1))
  if (pairs.length === 0) return ''
  return `?${pairs.map(([name, value]) => `${s3Encoded(name)}=${s3Encoded(value)}`).join('&')}`
}

/** @throws STORE_DENIED, STORE_BUCKET_MISSING */
function refused(answer: HttpAnswer, { key }: S3Request, bucket: string): HttpAnswer {
  const code = codeOf(answer)
  if (answer.status === 401 || answer.status === 403)
    throw new MillraceError('STORE_DENIED', {
      message: `s3://${bucket}/${key}: the store refuses (${code || answer.status})`,
      hint: 'look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION, and at what that user may do',
      facts: { bucket, key, status: answer.status, code },
    })
  if (code === 'NoSuchBucket')
    throw new MillraceError('STORE_BUCKET_MISSING', {
      message: `there is no bucket ${bucket}`,
      hint: 'make it, or look at the table path, AWS_REGION and AWS_ENDPOINT_URL',
      facts: { bucket },
    })
  return answer
}

export function codeOf({ body }: HttpAnswer): string {
  return /<Code>([^<]*)<\/Code>/.exec(Buffer.from(body.subarray(0, 4096)).toString())?.[1] ?? ''
}

function unreachable(
  { method, key }: S3Request,
  bucket: string,
  answer: HttpAnswer | { readonly error: unknown },
): MillraceError {
  const reason =
    'status' in answer
      ? `${answer.status} ${codeOf(answer)}`.trim()
      : answer.error instanceof Error
        ? answer.error.message
        : String(answer.error)
  return new MillraceError('STORE_UNREACHABLE', {
    message: `${method} s3://${bucket}/${key} failed ${TRIES_MAX} times: ${reason}`,
    hint: 'it will be tried again by the restart policy; look whether the store is up and AWS_ENDPOINT_URL right',
    facts: { bucket, key, tries: TRIES_MAX },
    cause: 'error' in answer ? answer.error : undefined,
  })
}
