/**
 * AWS Signature Version 4: of a request whose body is hashed, in its headers; and of a URL, in its query.
 * @see AWS documentation, "Create a signed AWS API request"; Amazon S3 API, "Authenticating Requests (AWS Signature Version 4)"
 */
import { createHash, createHmac } from 'node:crypto'

const ALGORITHM = 'AWS4-HMAC-SHA256'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface SignedRequest {
  readonly method: string
  /** Path and query are already encoded as they are sent. */
  readonly url: string
  readonly region: string
  readonly body: Uint8Array
  readonly nowMs: number
  readonly credentials: Credentials
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

/** The headers to send: those given, and authorization. The url's query must be in order of its names. */
export function s3Headers(request: SignedRequest): Record<string, string> {
  const { method, region, body, credentials } = request
  const { host, pathname, search } = new URL(request.url)
  const stamp = stampOf(request.nowMs)
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`
  const hash = sha256(body)
  const headers: Record<string, string> = {
    ...request.headers,
    host,
    'x-amz-content-sha256': hash,
    'x-amz-date': stamp,
    ...(credentials.sessionToken === undefined
      ? {}
      : { 'x-amz-security-token': credentials.sessionToken }),
  }
  const names = Object.keys(headers).sort()
  const signed = names.join(';')
  const lines = names.map((name) => `${name}:${headers[name]!.trim()}\n`).join('')
  const canonical = [method, pathname, search.slice(1), lines, signed, hash].join('\n')
  const signature = signatureOf(canonical, stamp, scope, credentials)
  headers.authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
  return headers
}

export interface PresignedRequest {
  /** A GET with no body; what it asks stands in the query. */
  readonly url: string
  readonly service: string
  readonly region: string
  readonly expiresSeconds: number
  readonly nowMs: number
  readonly credentials: Credentials
  /** The hash of no body unless given: S3 wants 'UNSIGNED-PAYLOAD'. */
  readonly bodyHash?: string
}

/** The url with its signature: whoever has it may ask that once, until it expires. */
export function presignedUrl(request: PresignedRequest): string {
  const { service, region, credentials, bodyHash = sha256('') } = request
  const { host, origin, pathname, searchParams } = new URL(request.url)
  const stamp = stampOf(request.nowMs)
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const asked = {
    ...Object.fromEntries(searchParams),
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': stamp,
    'X-Amz-Expires': `${request.expiresSeconds}`,
    'X-Amz-SignedHeaders': 'host',
    ...(credentials.sessionToken === undefined
      ? {}
      : { 'X-Amz-Security-Token': credentials.sessionToken }),
  }
  const query = Object.entries(asked)
    .map(([name, value]) => `${s3Encoded(name)}=${s3Encoded(value)}`)
    .sort()
    .join('&')
  const canonical = ['GET', pathname, query, `host:${host}\n`, 'host', bodyHash].join('\n')
  const signature = signatureOf(canonical, stamp, scope, credentials)
  return `${origin}${pathname}?${query}&X-Amz-Signature=${signature}`
}

/** 20260131T120000Z */
function stampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function signatureOf(
  canonical: string,
  stamp: string,
  scope: string,
  { secretAccessKey }: Credentials,
): string {
  const text = [ALGORITHM, stamp, scope, sha256(canonical)].join('\n')
  let key: string | Buffer = `AWS4${secretAccessKey}`
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest()
  return createHmac('sha256', key).update(text).digest('hex')
}

/** As S3 wants names and keys in paths and queries: all but unreserved characters, and `/` if it is to stay. */
export function s3Encoded(text: string, keepsSlash = false): string {
  const encoded = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return keepsSlash ? encoded.replaceAll('%2F', '/') : encoded
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
