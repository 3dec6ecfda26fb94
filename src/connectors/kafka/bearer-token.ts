/**
 * Tokens for OAUTHBEARER, each time a connection is made:
 *
 *   sasl.oauthbearer.token                 as it is
 *   sasl.oauthbearer.token.file            read anew each time: what a mounted secret is renewed in
 *   sasl.oauthbearer.token.endpoint.url    OAuth 2.0 client credentials (RFC 6749, 4.4), with clientId, clientSecret and scope of the JAAS entry
 *   sasl.mechanism = AWS_MSK_IAM           a signed URL: msk-token.ts
 */
import { MillraceError } from '../../errors.ts'
import type { Ports } from '../../ports/ports.ts'
import { mskTokens } from './msk-token.ts'
import { optionInvalid, type Properties } from './properties.ts'

type Jaas = Readonly<Record<string, string>>

export interface BearerToken {
  readonly token: () => string | Promise<string>
  readonly oauthBearerExtensions?: Record<string, string>
}

/**
 * The broker refuses a token in the bytes of an answer that is no error. @see RFC 7628, section 3.2.2
 * @returns why, or undefined if it took the token
 */
export function tokenRefusal(answer: Uint8Array): string | undefined {
  if (answer.length === 0) return undefined
  try {
    const { status } = JSON.parse(new TextDecoder().decode(answer))
    return typeof status === 'string' ? status : 'refused'
  } catch {
    return undefined
  }
}

const ANSWER_BYTES_MAX = 1 << 20

/** @throws KAFKA_OPTION_INVALID if nothing says where tokens come from */
export function bearerToken(
  properties: Properties,
  mechanism: 'OAUTHBEARER' | 'AWS_MSK_IAM',
  jaas: Jaas,
  ports: Ports,
): BearerToken {
  const option = (name: string) => properties.get(`sasl.oauthbearer.${name}`)
  const extensions = Object.entries(jaas).flatMap(([name, value]) =>
    name.startsWith('extension_') ? [[name.slice('extension_'.length), value]] : [],
  )
  const withExtensions = (token: BearerToken['token']): BearerToken =>
    extensions.length === 0
      ? { token }
      : { token, oauthBearerExtensions: Object.fromEntries(extensions) }
  if (mechanism === 'AWS_MSK_IAM')
    return { token: mskTokens(properties, jaas, process.env, () => ports.clock.nowMs()) }
  const fixed = option('token')
  if (fixed !== undefined) return withExtensions(() => fixed)
  const path = option('token.file')
  if (path !== undefined) return withExtensions(() => fromFile(properties.table, path, ports))
  const url = option('token.endpoint.url')
  if (url !== undefined) return withExtensions(() => fromEndpoint(properties.table, url, jaas))
  throw optionInvalid(
    properties.table,
    'properties.sasl.mechanism',
    'OAUTHBEARER needs properties.sasl.oauthbearer.token, .token.file or .token.endpoint.url',
  )
}

function fromFile(table: string, path: string, { files }: Ports): string {
  if (files.stat(path) === undefined)
    throw new MillraceError('FILE_MISSING', {
      message: `table ${table}: 'properties.sasl.oauthbearer.token.file' names ${path}, which is not there`,
      hint: 'give the path of a file, from the root',
      facts: { table, path },
    })
  const handle = files.open(path, 'read')
  try {
    const bytes = new Uint8Array(Math.min(handle.bytes(), ANSWER_BYTES_MAX))
    handle.read(bytes, 0)
    return new TextDecoder().decode(bytes).trim()
  } finally {
    handle.close()
  }
}

async function fromEndpoint(table: string, url: string, jaas: Jaas): Promise<string> {
  const { clientId, clientSecret, scope } = jaas
  if (clientId === undefined || clientSecret === undefined)
    throw optionInvalid(
      table,
      'properties.sasl.jaas.config',
      'a token endpoint is asked with the clientId="..." and clientSecret="..." that stand there',
    )
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    headers: {
      authorization: `Basic ${basic.toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope === undefined ? {} : { scope }),
    }),
    signal: AbortSignal.timeout(30_000),
  }).catch((cause: unknown) => {
    throw tokenFailed(table, url, cause instanceof Error ? cause.message : 'no answer')
  })
  const text = (await answer.text()).slice(0, ANSWER_BYTES_MAX)
  if (!answer.ok) throw tokenFailed(table, url, `status ${answer.status}`)
  const token: unknown = JSON.parse(text).access_token
  if (typeof token === 'string' && token !== '') return token
  throw tokenFailed(table, url, 'an answer without access_token')
}

function tokenFailed(table: string, url: string, what: string): MillraceError {
  const { origin } = new URL(url)
  return new MillraceError('KAFKA_AUTHENTICATION_FAILED', {
    message: `table ${table}: ${origin} gives no token: ${what}`,
    hint: 'check the endpoint, clientId, clientSecret and scope',
    facts: { table, origin },
  })
}
