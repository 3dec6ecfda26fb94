/** Delta tables driven as the engine drives a sink, for tests and benchmarks. */
import type { SinkRequest, SourcePositions } from '../../src/connectors/contract/sink.ts'
import { openDeltaSink } from '../../src/connectors/delta/sink.ts'
import { openDeltaSource } from '../../src/connectors/delta/source.ts'
import { LinearMemory } from '../../src/data/memory.ts'
import type { Schema } from '../../src/data/types.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { type BatchOptions, batchOf, type Plain, rowsOf } from './batch.ts'

export interface TableSetup {
  readonly ports: Ports
  readonly path: string
  readonly schema: Schema
  readonly pipeline?: string
  readonly mode?: SinkRequest['mode']
  readonly primaryKey?: readonly string[]
  readonly partitionedBy?: readonly string[]
  readonly options?: Readonly<Record<string, string>>
}

export function sinkRequest(setup: TableSetup): SinkRequest {
  return {
    table: 'sink',
    pipeline: setup.pipeline ?? 'test',
    options: { 'table-path': setup.path, ...setup.options },
    schema: setup.schema,
    primaryKey: setup.primaryKey ?? [],
    partitionedBy: setup.partitionedBy ?? [],
    mode: setup.mode ?? 'append',
    metadataKeys: setup.schema.map(() => undefined),
    ports: setup.ports,
    baseDirectory: '/',
    dataDirectory: '/',
  }
}

/** A run of the sink: `write` rows, then `checkpoint` them into one commit. */
export async function openRun(setup: TableSetup, incarnation = 1) {
  const sink = await openDeltaSink(sinkRequest(setup))
  await sink.prepareTable({ isWritten: false })
  const memory = new LinearMemory()
  const writer = await sink.openWriter(0, memory)
  const committer = await sink.openCommitter()
  let counter = 0
  return {
    sink,
    memory,
    writer,
    committer,
    write(rows: readonly (readonly Plain[])[], options: BatchOptions = {}) {
      const mark = memory.arena.mark()
      writer.write(batchOf(memory, setup.schema, rows, options))
      memory.arena.release(mark)
    },
    async prepare() {
      const checkpoint = { incarnation, counter: ++counter }
      const committable = await writer.prepare(checkpoint)
      return { checkpoint, committables: committable === undefined ? [] : [committable] }
    },
    async checkpoint(positions: SourcePositions = {}) {
      const prepared = await this.prepare()
      return committer.commit({ pipeline: setup.pipeline ?? 'test', positions, ...prepared })
    },
  }
}

/** Writes `rows` and commits them, as a run of its own. */
export async function writeTable(setup: TableSetup, ...commits: (readonly (readonly Plain[])[])[]) {
  const run = await openRun(setup)
  for (const rows of commits) {
    run.write(rows)
    await run.checkpoint()
  }
  await run.writer.close()
}

/** The rows of the table by our own source. */
export async function readTable(setup: TableSetup): Promise<Plain[][]> {
  const source = await openDeltaSource({
    table: 'source',
    options: { 'table-path': setup.path, ...setup.options },
    schema: setup.schema,
    metadataKeys: setup.schema.map(() => undefined),
    physical: setup.schema,
    ports: setup.ports,
    baseDirectory: '/',
    dataDirectory: '/',
  })
  const memory = new LinearMemory()
  const rows: Plain[][] = []
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined, memory)
    for (;;) {
      const polled = await reader.poll({ rowsMax: 1000, waitMs: 0 })
      if (typeof polled === 'string' || polled === undefined) break
      rows.push(...rowsOf(memory, polled.batch))
    }
    await reader.close()
  }
  return rows
}
