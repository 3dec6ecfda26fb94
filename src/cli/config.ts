/** `millrace.config.ts`: optional, checked, and small; what belongs to one pipeline stands in its SQL. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import { LOG_LEVELS } from '../serve/log-levels.ts'

export const CONFIG_FILE = 'millrace.config.ts'

const configSchema = z.strictObject({
  /** Directory of the owner's data, relative to the project. */
  data: z.string().min(1).default('.millrace'),
  /** Worker threads of each pipeline that `run` starts. */
  workers: z.int().min(1).max(64).default(1),
  http: z
    .strictObject({
      /** HOST:PORT; nothing is served without. */
      address: z.string().optional(),
      /** Needed to listen beyond loopback. Take it from the environment, not from this file. */
      token: z.string().min(16).optional(),
      /** Tables and views of the project that are kept by key: GET /views/NAME. */
      views: z
        .record(
          z.string(),
          z.strictObject({
            /** Columns that name a row. */
            key: z.array(z.string()).min(1),
          }),
        )
        .optional(),
      /** Events that are answered: POST /asks/NAME. NAME is a view of the project, with the answers. */
      asks: z
        .record(
          z.string(),
          z.strictObject({
            /** Of the embedded log, which the view reads; made if it is not there. */
            topic: z.string().min(1),
            /** The column, of events and of answers, that holds an event's id. */
            id: z.string().min(1),
          }),
        )
        .optional(),
    })
    .default({}),
  log: z
    .strictObject({
      level: z.enum(LOG_LEVELS).default('info'),
      /** Appended to, relative to the project; absent: stderr. */
      file: z.string().optional(),
    })
    .default({ level: 'info' }),
})

export type Config = z.infer<typeof configSchema>
/** What a config file may export as its default: every part has a default of its own. */
export type ConfigFile = z.input<typeof configSchema>

/** @throws CONFIG_INVALID naming every field that is wrong */
export async function loadConfig(directory: string): Promise<Config> {
  const path = join(directory, CONFIG_FILE)
  if (!existsSync(path)) return configSchema.parse({})
  const loaded: { default?: unknown } = await import(pathToFileURL(path).href).catch(
    (cause: unknown) => {
      throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
    },
  )
  const parsed = configSchema.safeParse(loaded.default)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) =>
      `${path.length === 0 ? 'the default export' : path.join('.')}: ${message}`,
  )
  throw invalid(problems.join('; '))
}

function invalid(what: string, cause?: unknown): MillraceError {
  return new MillraceError('CONFIG_INVALID', {
    message: `${CONFIG_FILE}: ${what}`,
    hint: 'it default-exports an object of data, workers, http { address, token, views, asks }, log { level, file }, all optional',
    cause,
  })
}
