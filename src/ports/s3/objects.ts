/**
 * Object stores of S3's API: Amazon's, and others that have conditional puts (`If-None-Match: *`), without which two writers of one
 * table could both believe to have won.
 *
 *   s3://bucket/prefix   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL (or ..._S3)
 *
 * @see Amazon S3 API Reference; "How to prevent object overwrites with conditional writes"
 */
import { MillraceError } from '../../errors.ts'
import type { HttpAnswer } from '../http.ts'
import type { ObjectStat, ObjectStore, ObjectWriter } from '../objects.ts'
import { codeOf, type S3Options, type S3Place, type S3Send, s3Client } from './client.ts'
import { entriesOf, textOf } from './listing.ts'

/** Parts of a large object; smaller ones go whole. S3 wants at least 5 MiB of all parts but the last. */
const PART_BYTES = 8 << 20

type Outside = Pick<S3Options, 'http' | 'clock' | 'random'>
type Environment = Readonly<Record<string, string | undefined>>

/** @throws STORE_DENIED if the environment names no credentials, STORE_UNSUPPORTED if the url is none */
export function s3Objects(outside: Outside, environment: Environment, url: string): ObjectStore {
  const place = placeOf(url)
  const options = optionsOf(outside, environment, place)
  const send = s3Client(options, place)
  const at = (key: string): string => place.prefix + key
  return {
    url: `s3://${place.bucket}/${place.prefix}`.replace(/\/$/, ''),
    get: (key) => content(send, at(key), {}),
    getRange: (key, start, length) =>
      content(send, at(key), {
        range: `bytes=${start < 0 ? start : `${start}-${start + length - 1}`}`,
      }),
    async head(key) {
      // One byte: HEAD's answers have no body to say what is wrong.
      const answer = await expect(send, {
        method: 'GET',
        key: at(key),
        headers: { range: 'bytes=0-0' },
      })
      return answer.status === 404 ? undefined : statOf(key, answer)
    },
    put: (key, bytes, { ifAbsent = false } = {}) => put(send, at(key), bytes, ifAbsent),
    list: (prefix, { after } = {}) => list(send, place, prefix, after),
    async remove(key) {
      requireOk(await expect(send, { method: 'DELETE', key: at(key) }), at(key))
    },
    writer: async (key) => writerOf(send, at(key)),
  }
}

function placeOf(url: string): S3Place {
  const [, bucket, path = ''] = /^s3a?:\/\/([^/]+)\/?(.*)$/.exec(url) ?? []
  if (bucket === undefined)
    throw new MillraceError('STORE_UNSUPPORTED', {
      message: `${url} names no bucket`,
      hint: 'write s3://bucket/path',
      facts: { url },
    })
  const prefix = path.replace(/^\/+|\/+$/g, '')
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
}

function optionsOf(outside: Outside, environment: Environment, { bucket }: S3Place): S3Options {
  const accessKeyId = environment.AWS_ACCESS_KEY_ID
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new MillraceError('STORE_DENIED', {
      message: `there are no credentials for s3://${bucket}`,
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_REGION, AWS_ENDPOINT_URL as needed)',
      facts: { bucket },
    })
  const sessionToken = environment.AWS_SESSION_TOKEN
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL
  return {
    ...outside,
    region: environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? 'us-east-1',
    ...(endpoint === undefined ? {} : { endpoint }),
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
  }
}

async function expect(send: S3Send, request: Parameters<S3Send>[0]): Promise<HttpAnswer> {
  return (await send(request))!
}

async function content(
  send: S3Send,
  key: string,
  headers: Readonly<Record<string, string>>,
): Promise<Uint8Array | undefined> {
  const answer = await expect(send, { method: 'GET', key, headers })
  if (answer.status === 404) return undefined
  // Beyond the end there is nothing.
  if (answer.status === 416) return new Uint8Array()
  return requireOk(answer, key).body
}

function statOf(key: string, answer: HttpAnswer): ObjectStat {
  const { headers } = answer
  // 'bytes 0-0/1234'; an empty object has no first byte.
  const total = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]
  const bytes = answer.status === 416 ? 0 : Number(total ?? headers['content-length'] ?? 0)
  return { key, bytes, modifiedMs: Date.parse(headers['last-modified'] ?? '') || 0 }
}

async function put(
  send: S3Send,
  key: string,
  bytes: Uint8Array,
  ifAbsent: boolean,
): Promise<'created' | 'exists' | 'ambiguous'> {
  const headers = ifAbsent ? { 'if-none-match': '*' } : {}
  const answer = await send({ method: 'PUT', key, body: bytes, headers, repeatable: !ifAbsent })
  if (answer === undefined) return 'ambiguous'
  if (answer.status === 412) return 'exists'
  // Two puts of one key at once: which of them won, the next look tells.
  if (answer.status === 409) return 'ambiguous'
  requireOk(answer, key)
  return 'created'
}

async function* list(
  send: S3Send,
  place: S3Place,
  prefix: string,
  after: string | undefined,
): AsyncGenerator<ObjectStat> {
  let token: string | undefined
  do {
    const query = {
      'list-type': '2',
      'encoding-type': 'url',
      prefix: place.prefix + prefix,
      ...(after === undefined ? {} : { 'start-after': place.prefix + after }),
      ...(token === undefined ? {} : { 'continuation-token': token }),
    }
    const answer = requireOk(await expect(send, { method: 'GET', key: '', query }), prefix)
    const text = Buffer.from(answer.body).toString()
    for (const entry of entriesOf(text))
      yield { ...entry, key: entry.key.slice(place.prefix.length) }
    token = textOf(text, 'NextContinuationToken')
  } while (token !== undefined)
}

function writerOf(send: S3Send, key: string): ObjectWriter {
  const chunks: Uint8Array[] = []
  let bytes = 0
  return {
    write(chunk) {
      chunks.push(Uint8Array.from(chunk))
      bytes += chunk.length
    },
    async finish() {
      const whole = Buffer.concat(chunks.splice(0))
      if (bytes <= PART_BYTES) await put(send, key, whole, false)
      else await putInParts(send, key, whole)
    },
    async abort() {
      chunks.length = 0
    },
  }
}

/** Nothing is visible before the last step; what is not finished is given up. */
async function putInParts(send: S3Send, key: string, bytes: Uint8Array): Promise<void> {
  const begun = requireOk(await expect(send, { method: 'POST', key, query: { uploads: '' } }), key)
  const uploadId = textOf(Buffer.from(begun.body).toString(), 'UploadId') ?? ''
  try {
    const tags: string[] = []
    for (let from = 0; from < bytes.length; from += PART_BYTES) {
      const query = { partNumber: String(tags.length + 1), uploadId }
      const body = bytes.subarray(from, from + PART_BYTES)
      const answer = requireOk(await expect(send, { method: 'PUT', key, query, body }), key)
      tags.push(answer.headers.etag ?? '')
    }
    const parts = tags.map(
      (tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
    )
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
    const done = await expect(send, { method: 'POST', key, query: { uploadId }, body })
    // An answer of 200 may still hold an error.
    if (codeOf(requireOk(done, key)) !== '') throw failed(done, key)
  } catch (error) {
    await send({ method: 'DELETE', key, query: { uploadId } }).catch(() => undefined)
    throw error
  }
}

function requireOk(answer: HttpAnswer, key: string): HttpAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer
  throw failed(answer, key)
}

function failed(answer: HttpAnswer, key: string): MillraceError {
  return new MillraceError('STORE_FAILED', {
    message: `the store answers ${answer.status} ${codeOf(answer)} for ${key}`,
    hint: 'see what it says of that code; a store without conditional puts can hold no table',
    facts: { key, status: answer.status, code: codeOf(answer) },
  })
}
