/** Options as a connector gets them: defaults filled in, secrets resolved at the last moment. */
import type { ConnectorOption } from '../connectors/contract/connector.ts'
import { MillraceError } from '../errors.ts'
import type { Files } from '../ports/files.ts'

type Options = Readonly<Record<string, string>>

export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly files: Files
}

const REFERENCE = /\$\{(env|file):([^}]*)\}/g
const SECRET_BYTES_MAX = 65536

/**
 * `declared`'s defaults under `given`, with `${env:NAME}` and `${file:path}` replaced. The result is handed to the connector alone:
 * it never enters a plan, a checkpoint or a message.
 * @throws SECRET_MISSING naming the reference, not its value
 */
export function openedOptions(
  table: string,
  given: Options,
  declared: readonly ConnectorOption[],
  secrets: SecretSources,
): Options {
  const opened: Record<string, string> = {}
  for (const { name, fallback } of declared) if (fallback !== undefined) opened[name] = fallback
  for (const [name, value] of Object.entries(given)) {
    if (name === 'connector') continue
    opened[name] = value.replace(REFERENCE, (_, kind: string, what: string) =>
      kind === 'env'
        ? fromEnvironment(table, name, what, secrets)
        : fromFile(table, name, what, secrets),
    )
  }
  return opened
}

function fromEnvironment(
  table: string,
  option: string,
  name: string,
  { environment }: SecretSources,
): string {
  const value = environment[name]
  if (value !== undefined) return value
  throw missing(table, option, `\${env:${name}}`, `set the environment variable ${name}`)
}

function fromFile(table: string, option: string, path: string, { files }: SecretSources): string {
  const reference = `\${file:${path}}`
  if (files.stat(path) === undefined) {
    throw missing(table, option, reference, `there is no file ${path}`)
  }
  const handle = files.open(path, 'read')
  try {
    const bytes = new Uint8Array(Math.min(handle.bytes(), SECRET_BYTES_MAX))
    handle.read(bytes, 0)
    return new TextDecoder().decode(bytes).replace(/\r?\n$/, '')
  } finally {
    handle.close()
  }
}

function missing(table: string, option: string, reference: string, hint: string): MillraceError {
  return new MillraceError('SECRET_MISSING', {
    message: `table ${table}: option '${option}' refers to ${reference}, which is not there`,
    hint,
    facts: { table, option, reference },
  })
}
