/** How asynchronous functions are asked that don't say it themselves, by Flink's names. */
import type { Asking } from '../compile/user-code.ts'

/** Flink counts tries of scalar functions under another name than those of table functions; both mean how often it is asked again. */
const RETRIES = { scalar: 'max-attempts', table: 'max-retries' } as const

type Kind = keyof typeof RETRIES

export const ASYNC_SETTINGS = (['scalar', 'table'] as const).flatMap((kind) => [
  {
    name: nameOf(kind, 'max-concurrent-operations'),
    fallback: '10',
    summary: `Rows that asynchronous ${kind} functions are asked for at a time, in each worker; reading stops while as many wait`,
  },
  {
    name: nameOf(kind, 'timeout'),
    fallback: '3 min',
    summary: 'For a row, all its tries included: then it goes to $dead',
  },
  {
    name: nameOf(kind, 'retry-strategy'),
    fallback: 'FIXED_DELAY',
    summary: "What has failed is asked for again after a delay; 'NO_RETRY': it goes to $dead",
  },
  { name: nameOf(kind, 'retry-delay'), fallback: '100 ms', summary: 'That delay' },
  {
    name: nameOf(kind, RETRIES[kind]),
    fallback: '3',
    summary: 'How often a row is asked for again',
  },
])

export interface SettingReader {
  durationMs(name: string): number
  count(name: string, least: number): number
  choice(name: string, choices: readonly string[]): string
}

/** @throws SETTING_INVALID */
export function askingOf(kind: Kind, read: SettingReader): Asking {
  const strategy = read.choice(nameOf(kind, 'retry-strategy'), ['FIXED_DELAY', 'NO_RETRY'])
  const retries = read.count(nameOf(kind, RETRIES[kind]), 0)
  return {
    capacity: read.count(nameOf(kind, 'max-concurrent-operations'), 1),
    timeoutMs: read.durationMs(nameOf(kind, 'timeout')),
    retries: strategy === 'NO_RETRY' ? 0 : retries,
    retryDelayMs: read.durationMs(nameOf(kind, 'retry-delay')),
    ordered: true,
  }
}

function nameOf(kind: Kind, option: string): string {
  return `table.exec.async-${kind}.${option}`
}
