/**
 * AWS Signature Version 4 of a request whose body is hashed.
 * @see AWS documentation, "Create a signed AWS API request"; Amazon S3 API, "Authenticating Requests (AWS Signature Version 4)"
 */
import { createHash, createHmac } from 'node:crypto'

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
  const stamp = new Date(request.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
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
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')
  let key: string | Buffer = `AWS4${credentials.secretAccessKey}`
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest()
  const signature = createHmac('sha256', key).update(text).digest('hex')
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
  return headers
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
