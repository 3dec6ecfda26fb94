/** Where tables are, as options with the names that they have in SQL. */
import { type Duration, durationMs } from './duration.ts'

export interface Connector {
  readonly options: Readonly<Record<string, string>>
}

type Options = Readonly<Record<string, string | number | boolean | undefined>>

/** Any connector, with its options by their SQL names: `connector('kafka', { topic: 'orders' })`. */
export function connector(name: string, options: Options = {}): Connector {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    options: {
      connector: name,
      ...Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
    },
  }
}

/** A value that is read from the environment when the table is opened, and stands in no plan, checkpoint or log. */
export function env(name: string): string {
  return `\${env:${name}}`
}

/** The same from a file. */
export function file(path: string): string {
  return `\${file:${path}}`
}

type Format = 'json' | 'avro' | 'csv' | 'raw' | (string & {})

/** A topic of the embedded log. */
export function log(
  topic: string,
  { options = {} }: { readonly options?: Options } = {},
): Connector {
  return connector('log', { topic, format: 'json', ...options })
}

export function kafka({
  topic,
  bootstrapServers,
  format = 'json',
  startup,
  options = {},
}: {
  readonly topic: string
  readonly bootstrapServers: string
  readonly format?: Format
  readonly startup?: 'earliest-offset' | 'latest-offset' | 'group-offsets'
  /** Others, by their SQL names: 'properties.security.protocol' ... */
  readonly options?: Options
}): Connector {
  return connector('kafka', {
    topic,
    'properties.bootstrap.servers': bootstrapServers,
    format,
    'scan.startup.mode': startup,
    ...options,
  })
}

export function delta({
  tablePath,
  commitInterval,
  options = {},
}: {
  readonly tablePath: string
  readonly commitInterval?: Duration
  readonly options?: Options
}): Connector {
  const interval = commitInterval === undefined ? undefined : `${durationMs(commitInterval)} ms`
  return connector('delta', {
    'table-path': tablePath,
    'sink.commit-interval': interval,
    ...options,
  })
}

/** Files of lines; followed only if the options say so. */
export function filesystem({
  path,
  format = 'json',
  options = {},
}: {
  readonly path: string
  readonly format?: Format
  readonly options?: Options
}): Connector {
  return connector('filesystem', { path, format, ...options })
}

export function print(): Connector {
  return connector('print')
}

export function blackhole(): Connector {
  return connector('blackhole')
}
