/**
 * A connection for record batches, fetched or produced: answers are read straight into one buffer that is used again, requests are
 * written as the pieces they are, with one request under way.
 *
 * The client's own connections take every piece that a socket gives as memory of its own, and join a request's pieces in new memory: at
 * hundreds of megabytes a second the collector then works as long as we do. Requests, answers and authentication are the client's here too.
 *
 *   answer   size i32 · correlation id i32 · [tagged fields, where the request says so] · body
 */

import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type {
  Broker,
  Callback,
  Connection,
  ConnectionOptions,
  ResponseParser,
  Writer,
} from '@platformatic/kafka'
import type { KafkaClient } from './client.ts'

const SIZE_BYTES = 4
const BUFFER_BYTES = 1 << 20
/** No broker sends more: what says so is none. */
const ANSWER_BYTES_MAX = 1 << 30

interface Asked {
  readonly correlationId: number
  read(body: Buffer): void
  fail(error: Error): void
}

export interface BatchConnections {
  /** The broker's in the lane, opened anew where it was closed. */
  to(lane: string, broker: Broker): Promise<Connection>
  close(): Promise<void>
}

export function batchConnections(
  client: KafkaClient,
  clientId: string,
  options: ConnectionOptions,
): BatchConnections {
  const opened = new Map<string, Promise<Connection>>()
  return {
    to(lane, broker) {
      const place = `${lane} ${broker.host}:${broker.port}`
      const forget = () => opened.delete(place)
      let open = opened.get(place)
      if (open === undefined) {
        open = openBatchConnection(client, clientId, options, broker, forget)
        open.catch(forget)
        opened.set(place, open)
      }
      return open
    },
    async close() {
      for (const open of opened.values()) await open.then((each) => each.close()).catch(() => {})
    },
  }
}

/** Connected and authenticated. The parser of an answer must take what it needs: the next one overwrites it. @throws the client's errors */
async function openBatchConnection(
  client: KafkaClient,
  clientId: string,
  options: ConnectionOptions,
  broker: Broker,
  closed: () => void,
): Promise<Connection> {
  class BatchConnection extends client.Connection {
    readonly #answers = new AnswerReader(client, options.requestTimeout ?? 30_000, closed)
    #correlationId = 0
    #last: Promise<void> = Promise.resolve()

    open(): Promise<void> {
      return this.#answers.open(broker, options)
    }

    override isConnected(): boolean {
      return this.#answers.isOpen
    }

    override send<Answer>(
      apiKey: number,
      apiVersion: number,
      createPayload: () => Writer | Promise<Writer>,
      parse: ResponseParser<Answer>,
      hasTags: boolean,
      hasAnswerTags: boolean,
      callback: Callback<Answer>,
    ): void {
      const run = async (): Promise<void> => {
        this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
        const correlationId = this.#correlationId
        const writer = client.Writer.create()
          .appendInt16(apiKey)
          .appendInt16(apiVersion)
          .appendInt32(correlationId)
          .appendString(clientId, false)
        if (hasTags) writer.appendTaggedFields()
        writer.appendFrom(await createPayload()).prependLength()
        const answered = Promise.withResolvers<Answer>()
        this.#answers.ask(writer.buffers, {
          correlationId,
          fail: answered.reject,
          read(body) {
            const reader = client.Reader.from(body)
            if (hasAnswerTags) reader.skip(1)
            answered.resolve(parse(correlationId, apiKey, apiVersion, reader))
          },
        })
        callback(null, await answered.promise)
      }
      this.#last = this.#last.then(run).catch((error: Error) => callback(error))
    }

    override async close(callback?: (error: Error | null) => void): Promise<void> {
      this.#answers.close()
      callback?.(null)
    }
  }
  const connection = new BatchConnection(clientId, options)
  await connection.open()
  try {
    await authenticate(client, connection, options.sasl)
  } catch (cause) {
    await connection.close()
    const why = cause instanceof Error ? { cause } : {}
    throw new client.AuthenticationError('SASL authentication failed.', why)
  }
  return connection
}

/** The socket, and the one answer that is waited for. */
class AnswerReader {
  readonly #client: KafkaClient
  readonly #timeoutMs: number
  readonly #closed: () => void
  #socket: Socket | undefined
  readonly #size = Buffer.alloc(SIZE_BYTES)
  #body: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #filled = 0
  /** Undefined while the size is read. */
  #bytes: number | undefined
  #asked: Asked | undefined
  #timer: NodeJS.Timeout | undefined
  isOpen = false

  constructor(client: KafkaClient, timeoutMs: number, closed: () => void) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.#closed = closed
  }

  async open({ host, port }: Broker, { tls, connectTimeout }: ConnectionOptions): Promise<void> {
    const onread = {
      buffer: () => this.#room(),
      callback: (bytes: number) => this.#arrived(bytes),
    }
    const opened = Promise.withResolvers<void>()
    const socket =
      tls === undefined
        ? connectPlain({ host, port, onread })
        : connectTls(Object.assign({ ...tls, ...named(host), host, port }, { onread }))
    this.#socket = socket
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection to ${host}:${port} in time`)),
      connectTimeout ?? 10_000,
    )
    socket.setNoDelay(true)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      this.isOpen = true
      opened.resolve()
    })
    let failure: Error | undefined
    socket.once('error', (error) => {
      failure = error
    })
    socket.once('close', () => {
      this.isOpen = false
      const error = new this.#client.NetworkError(
        `Connection to ${host}:${port} closed.`,
        failure === undefined ? {} : { cause: failure },
      )
      opened.reject(error)
      this.#fail(error)
      this.#closed()
    })
    await opened.promise.finally(() => clearTimeout(timer))
  }

  /** The pieces are read until the answer has come. */
  ask(pieces: readonly Buffer[], asked: Asked): void {
    if (!this.isOpen) {
      asked.fail(new this.#client.NetworkError('Connection closed'))
      return
    }
    this.#asked = asked
    this.#timer = setTimeout(() => this.close(), this.#timeoutMs)
    const socket = this.#socket!
    socket.cork()
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
  }

  close(): void {
    this.#socket?.destroy()
  }

  /** Where the next bytes of the answer go: never beyond it. */
  #room(): Uint8Array {
    if (this.#bytes === undefined) return this.#size.subarray(this.#filled)
    return this.#body.subarray(this.#filled, this.#bytes)
  }

  #arrived(bytes: number): boolean {
    this.#filled += bytes
    if (this.#bytes === undefined) {
      if (this.#filled < SIZE_BYTES) return true
      const size = this.#size.readInt32BE(0)
      if (size < SIZE_BYTES || size > ANSWER_BYTES_MAX || this.#asked === undefined) {
        this.#socket!.destroy(new Error(`an answer of ${size} bytes that was not asked for`))
        return true
      }
      if (size > this.#body.length)
        this.#body = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(size)))
      this.#bytes = size
      this.#filled = 0
    }
    if (this.#filled === this.#bytes) this.#whole(this.#bytes)
    return true
  }

  #whole(bytes: number): void {
    this.#bytes = undefined
    this.#filled = 0
    const asked = this.#asked!
    this.#asked = undefined
    clearTimeout(this.#timer)
    const isIts = this.#body.readInt32BE(0) === asked.correlationId
    try {
      if (!isIts) throw new Error('an answer to another request')
      asked.read(this.#body.subarray(SIZE_BYTES, bytes))
    } catch (error) {
      asked.fail(error instanceof Error ? error : new Error(String(error)))
      if (!isIts) this.close()
    }
  }

  #fail(error: Error): void {
    clearTimeout(this.#timer)
    this.#asked?.fail(error)
    this.#asked = undefined
  }
}

/** Of an address there is no name to tell. */
function named(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {}
}

async function authenticate(
  client: KafkaClient,
  connection: Connection,
  sasl: ConnectionOptions['sasl'],
): Promise<void> {
  if (sasl === undefined) return
  const { mechanism, username = '', password = '', token = '', oauthBearerExtensions = {} } = sasl
  const { api } = client.saslAuthenticateV2
  await client.saslHandshakeV1.api.async(connection, mechanism)
  if (mechanism === 'PLAIN')
    await client.saslPlain.authenticate(api, connection, username, password)
  else if (mechanism === 'SCRAM-SHA-256' || mechanism === 'SCRAM-SHA-512')
    await client.saslScramSha.authenticate(
      api,
      connection,
      mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512',
      username,
      password,
    )
  else {
    const { saslOAuthBearer } = client
    const answer = await saslOAuthBearer.authenticate(api, connection, token, oauthBearerExtensions)
    await new Promise<void>((resolve, reject) => {
      const told = (error: Error | null) => (error === null ? resolve() : reject(error))
      if (sasl.authBytesValidator === undefined) resolve()
      else sasl.authBytesValidator(answer.authBytes, told)
    })
  }
}
