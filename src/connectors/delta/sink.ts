/** The sink of a Delta table: append, or upsert by primary key. */
import type { Sink, SinkRequest } from '../contract/sink.ts'
import { appendWriter } from './append-writer.ts'
import { deltaCommitter } from './committer.ts'
import { openTable, prepareTable, sinkTable } from './table.ts'
import { upsertWriter } from './upsert-writer.ts'

export async function openDeltaSink(request: SinkRequest): Promise<Sink> {
  const table = sinkTable(request)
  return {
    guarantee: 'exactly-once',
    async prepareTable({ isWritten }) {
      await prepareTable(table, !isWritten)
    },
    async openWriter(worker, memory) {
      const open = await openTable(table)
      return request.mode === 'upsert'
        ? upsertWriter(table, open, memory)
        : appendWriter(table, open, worker, memory)
    },
    openCommitter: () => deltaCommitter(table),
  }
}
