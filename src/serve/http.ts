/**
 * What a monitor asks over HTTP: `/livez`, `/readyz`, `/metrics`, `/status`. Reading only; nothing here changes anything.
 *
 * Beyond loopback it listens only with a token, which every request but `/livez` and `/readyz` then needs.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { MillraceError } from '../errors.ts'
import { createMetrics } from './metrics.ts'
import { hasEnded, type OwnerStatus } from './status.ts'

const HEADER_BYTES_MAX = 16 << 10
const BODY_BYTES_MAX = 1 << 10
/** Names of subjects stand in paths. */
const PARAMETER_LENGTH_MAX = 4096
const REQUEST_MS_MAX = 30_000
/** Who follows, asks and scrapes; whoever comes beyond is not taken in. */
const CONNECTIONS_MAX = 1024
/** From the connection, or the answer before, to the last header. */
const HEADERS_MS_MAX = 10_000
/** A client that is gone without a word is found out by the kernel, from then on. */
const PROBED_AFTER_MS = 30_000

export interface HttpOptions {
  readonly address: HttpAddress
  /** Asked as `Authorization: Bearer <token>`. */
  readonly token?: string
  readonly status: () => OwnerStatus
  /** A line for each thing but pipelines that should answer and does not yet. */
  readonly waiting?: () => readonly string[]
  readonly limits?: { readonly connectionsMax?: number; readonly headersMsMax?: number }
  /** More routes, behind the same checks. */
  readonly routes?: (app: FastifyInstance) => Promise<void>
}

export interface HttpAddress {
  readonly host: string
  readonly port: number
}

export interface HttpServer {
  /** With the port that was bound, where 0 was asked. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Reads '127.0.0.1:9464', '[::1]:9464', 'localhost:0', or a port alone, which is loopback's.
 *
 * @throws HTTP_ADDRESS_INVALID if it is neither
 */
export function parseAddress(text: string): HttpAddress {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:\s]+):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) {
    throw new MillraceError('HTTP_ADDRESS_INVALID', {
      message: `'${text}' is no address to listen on`,
      hint: 'write HOST:PORT, as 127.0.0.1:9464 or [::1]:9464',
      facts: { address: text },
    })
  }
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port }
}

/**
 * @throws HTTP_UNPROTECTED if the address is not loopback's and there is no token
 * @throws HTTP_LISTEN_FAILED if the address can't be bound
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port } = options.address
  if (!isLoopback(host) && options.token === undefined) throw unprotected(host)
  const { connectionsMax = CONNECTIONS_MAX, headersMsMax = HEADERS_MS_MAX } = options.limits ?? {}
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    forceCloseConnections: true,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: headersMsMax,
      connectionsCheckingInterval: headersMsMax / 2,
      keepAlive: true,
      keepAliveInitialDelay: PROBED_AFTER_MS,
    },
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
  })
  app.server.maxConnections = connectionsMax
  addRoutes(app, options)
  await options.routes?.(app)
  try {
    const url = await app.listen({ host, port })
    return { url, close: () => app.close() }
  } catch (error) {
    throw new MillraceError('HTTP_LISTEN_FAILED', {
      message: `can't listen on ${host}:${port}: ${error instanceof Error ? error.message : error}`,
      hint: 'choose another address with --http; port 0 takes any that is free',
      facts: { host, port },
      cause: error,
    })
  }
}

function addRoutes(app: FastifyInstance, { status, token, waiting }: HttpOptions): void {
  const metrics = createMetrics(status)
  const isAllowed = tokenCheck(token)
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/livez' || request.url === '/readyz') return
    // Without a token, a web page whose name was made to point here must not read what a browser fetches for it.
    if (token === undefined && !isLoopback(request.hostname.replace(/^\[|\]$/g, ''))) {
      await reply.code(403).send({ error: `'${request.hostname}' is not this machine's loopback` })
      return
    }
    if (isAllowed(request.headers.authorization)) return
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: 'a token is needed: Authorization: Bearer TOKEN' })
  })
  app.get('/livez', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const lines = [...notReady(status()), ...(waiting?.() ?? [])]
    return reply
      .code(lines.length === 0 ? 200 : 503)
      .type('text/plain')
      .send(lines.length === 0 ? 'ok\n' : `${lines.join('\n')}\n`)
  })
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  )
  app.get('/status', async () => status())
  app.setNotFoundHandler(async (_request, reply) =>
    reply
      .code(404)
      .send({ error: 'not found', paths: ['/livez', '/readyz', '/metrics', '/status'] }),
  )
}

/** A line for each pipeline that should run and doesn't. One that has done its work, or was told to stop, is no trouble. */
export function notReady(status: OwnerStatus): string[] {
  return status.pipelines
    .filter(({ state }) => state !== 'running' && (!hasEnded(state) || state === 'failed'))
    .map(({ name, state, problem }) =>
      problem === undefined ? `${name}: ${state}` : `${name}: ${state}, ${problem.code}`,
    )
}

function tokenCheck(token: string | undefined): (authorization: string | undefined) => boolean {
  if (token === undefined) return () => true
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(token)
  return (authorization = '') => {
    const [scheme, given = ''] = authorization.split(' ')
    // Clients that know user and password only send the token as the password, of any user.
    const isBasic = scheme?.toLowerCase() === 'basic'
    const told = isBasic
      ? Buffer.from(given, 'base64')
          .toString('utf8')
          .replace(/^[^:]*:/, '')
      : given
    return (isBasic || scheme === 'Bearer') && timingSafeEqual(digest(told), wanted)
  }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}

function unprotected(host: string): MillraceError {
  return new MillraceError('HTTP_UNPROTECTED', {
    message: `${host} can be reached from other machines, and there is no token`,
    hint: 'listen on 127.0.0.1, or set MILLRACE_HTTP_TOKEN, or http.token in millrace.config.ts',
    facts: { host },
  })
}
