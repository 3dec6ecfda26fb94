/** The log topics of late and dead rows, opened when they are first needed: by a row, or by a restart that must commit for them. */
import type { SinkCommitter, SinkWriter } from '../connectors/contract/sink.ts'
import type { LinearMemory } from '../data/memory.ts'
import { SIDE_SCHEMAS, type SideKind } from '../plan/side-tables.ts'
import { openSink, type TableOpening } from './open-tables.ts'

export interface SideSink {
  readonly name: string
  readonly writer: SinkWriter
  readonly committer: SinkCommitter
  readonly commitIntervalMs: number
}

export interface SideSinks {
  open(topic: string, kind: SideKind): Promise<SideSink>
  opened(): readonly SideSink[]
  close(): Promise<void>
}

export function createSideSinks(
  pipeline: string,
  memory: LinearMemory,
  opening: TableOpening,
  onOpened: (sink: SideSink) => void,
): SideSinks {
  const sinks = new Map<string, SideSink>()
  return {
    async open(topic, kind) {
      const known = sinks.get(topic)
      if (known !== undefined) return known
      const table = {
        name: topic,
        columns: SIDE_SCHEMAS[kind].map((field) => ({ kind: 'physical' as const, ...field })),
        options: { connector: 'log', topic, format: 'json' },
      }
      // Nothing reads from it: the node is only how a sink is described.
      const input = { kind: 'values' as const, schema: SIDE_SCHEMAS[kind], rows: [] }
      const { sink } = await openSink({ kind: 'sink', table, input }, pipeline, false, opening)
      await sink.prepareTable({ isWritten: false })
      const committer = await sink.openCommitter()
      const writer = await sink.openWriter(0, memory).catch(async (cause: unknown) => {
        await committer.close().catch(() => {})
        throw cause
      })
      const opened: SideSink = { name: topic, writer, committer, commitIntervalMs: 0 }
      sinks.set(topic, opened)
      onOpened(opened)
      return opened
    },
    opened: () => [...sinks.values()],
    async close() {
      for (const { writer, committer } of sinks.values()) {
        await writer.close()
        await committer.close()
      }
    },
  }
}

export function sideKindOf(topic: string): SideKind | undefined {
  if (topic.endsWith('.late')) return 'late'
  return topic.endsWith('.dead') ? 'dead' : undefined
}
