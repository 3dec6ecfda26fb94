/** AWS Signature Version 4 of a POST with a body. @see AWS documentation, "Create a signed AWS API request" */
import { createHash, createHmac } from 'node:crypto'

export interface SignRequest {
  readonly url: string
  readonly region: string
  readonly service: string
  readonly body: string
  readonly nowMs: number
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

/** The headers to send: those given, and authorization. */
export function signedHeaders(request: SignRequest): Record<string, string> {
  const { url, region, service, body, credentials } = request
  const { host, pathname } = new URL(url)
  const stamp = new Date(request.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const headers: Record<string, string> = {
    ...request.headers,
    host,
    'x-amz-date': stamp,
    ...(credentials.sessionToken === undefined
      ? {}
      : { 'x-amz-security-token': credentials.sessionToken }),
  }
  const names = Object.keys(headers).sort()
  const signed = names.join(';')
  const lines = names.map((name) => `${name}:${headers[name]!.trim()}\n`).join('')
  const canonical = ['POST', pathname, '', lines, signed, sha256(body)].join('\n')
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')
  let key: string | Buffer = `AWS4${credentials.secretAccessKey}`
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest()
  const signature = createHmac('sha256', key).update(text).digest('hex')
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
  return headers
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
