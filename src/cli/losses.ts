/** What losing this machine would lose, and what of a pipeline could be made again: told by `explain`. */
import type { Connector } from '../connectors/contract/connector.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { scansOf } from './guarantee.ts'

/** Connectors whose data stands on this machine's disk, in the project or the owner's data. */
const ON_THIS_MACHINE: Readonly<Record<string, string>> = {
  log: 'its events: the log is on this disk',
  filesystem: 'its files, if they are on this disk',
}
const MADE_UP = new Set(['datagen', 'values'])
const KEEPS_NOTHING = new Set(['print', 'blackhole'])
/** Systems of their own, wherever they run. */
const ELSEWHERE = new Set(['kafka', 'upsert-kafka'])

export function lossesOf(pipeline: Pipeline, connectors: readonly Connector[]): string[] {
  const sources = scansOf(pipeline).map(({ table }) => {
    const connector = table.options.connector ?? '?'
    if (MADE_UP.has(connector)) return `${table.name} (${connector}): nothing, its rows are made up`
    return `${table.name} (${connector}): ${ON_THIS_MACHINE[connector] ?? 'nothing: it stands elsewhere'}`
  })
  const sinks = pipeline.sinks.map(({ table }) => {
    const connector = table.options.connector ?? '?'
    const path = table.options['table-path'] ?? table.options.path ?? ''
    if (KEEPS_NOTHING.has(connector)) return `${table.name} (${connector}): nothing, it keeps none`
    if (connector === 'log') return `${table.name} (log): its rows: the log is on this disk`
    const isElsewhere =
      ELSEWHERE.has(connector) || (/^[a-z0-9]+:\/\//.test(path) && !path.startsWith('file:'))
    return `${table.name} (${connector}): ${isElsewhere ? 'nothing: it stands elsewhere' : 'the table: it is on this disk'}`
  })
  const canReplay = scansOf(pipeline).every(
    ({ table }) =>
      connectors.find(({ name }) => name === table.options.connector)?.source?.replay === 'exact',
  )
  const state = canReplay
    ? 'checkpoints and open windows: made again by reading the sources from their start'
    : 'checkpoints and open windows: rows that were read and not yet committed'
  return [...new Set([...sources, ...sinks]), state]
}
