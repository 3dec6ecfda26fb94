/** Requests over HTTP and HTTPS to what stands outside: registries, webhooks. Redirects are not followed: an address is what it says. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** From beginning to end. */
  readonly timeoutMs: number
  /** A longer answer is an error. */
  readonly answerBytesMax: number
  readonly tls?: HttpTls
}

/** PEM texts. The server is always verified; `authorities` are trusted beside the system's. */
export interface HttpTls {
  readonly authorities?: string
  readonly certificate?: string
  readonly key?: string
  readonly passphrase?: string
}

export interface HttpAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Rejects with Node's errors where there is no whole answer: ECONNREFUSED, ETIMEDOUT, certificates that do not hold. */
export type HttpSend = (request: HttpRequest) => Promise<HttpAnswer>
