/** HTTP by the runtime's own client. */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { HttpAnswer, HttpRequest, HttpSend } from '../http.ts'

export const nodeHttp: HttpSend = (asked) =>
  new Promise((resolve, reject) => {
    const url = new URL(asked.url)
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const timeout = setTimeout(() => {
      outgoing.destroy(timedOut(asked))
    }, asked.timeoutMs)
    const finish = (end: () => void): void => {
      clearTimeout(timeout)
      end()
    }
    const outgoing = send(url, {
      method: asked.method,
      headers: { ...asked.headers, ...lengthOf(asked.body) },
      ...(url.protocol === 'https:' ? tlsOf(asked) : {}),
    })
    outgoing.on('error', (error) => finish(() => reject(error)))
    outgoing.on('response', (incoming) => {
      collect(incoming, asked).then(
        (answer) => finish(() => resolve(answer)),
        (error: unknown) => finish(() => reject(error)),
      )
    })
    outgoing.end(asked.body)
  })

function lengthOf(body: HttpRequest['body']): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
}

function tlsOf({ tls }: HttpRequest) {
  return {
    rejectUnauthorized: true,
    ...(tls?.authorities === undefined ? {} : { ca: [...rootCertificates, tls.authorities] }),
    ...(tls?.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(tls?.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
  }
}

async function collect(incoming: IncomingMessage, asked: HttpRequest): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > asked.answerBytesMax) {
      incoming.destroy()
      throw new Error(`the answer is longer than ${asked.answerBytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return { status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks) }
}

function timedOut({ timeoutMs }: HttpRequest): Error {
  return Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' })
}
