/**
 * Tables that keep, in memory, every change that is written to them, exactly once: changes are prepared at a checkpoint and stay when
 * its commit comes, whatever became of the process meanwhile.
 */
import type { Connector } from '../connectors/contract/connector.ts'
import {
  type ChangelogMode,
  type CheckpointId,
  isAfter,
  type SinkCommitter,
  type SinkRequest,
  type SinkWriter,
} from '../connectors/contract/sink.ts'
import type { LinearMemory } from '../data/memory.ts'
import { nestedValue } from '../data/nested-values.ts'
import type { Schema } from '../data/types.ts'
import { type Row, type RowKindText, rowKindAt, rowReader, selectedRows } from '../data/values.ts'

export interface KeptChange {
  readonly kind: RowKindText
  readonly row: Row
}

export interface KeptTable {
  readonly schema: Schema
  readonly primaryKey: readonly string[]
  readonly mode: ChangelogMode
  /** What has been committed, and what the living process has written since, in order. */
  changes(): readonly KeptChange[]
}

export interface KeptTables {
  readonly connector: Connector
  /** By name, once a pipeline has opened it. */
  readonly tables: ReadonlyMap<string, KeptTable>
  /** The process that wrote is gone: what it had not committed is not there, unless its successor commits it. */
  forget(): void
}

/** A table's own connector's offers: which modes it takes. */
export interface KeptOptions {
  /** Of `ChangelogMode`, best first, with commas between. */
  readonly modes: string
}

/** Changes that were written between two checkpoints by one writer, each with its place among those of all writers. */
interface Piece {
  changes: (KeptChange & { readonly place: number })[]
  state: 'written' | 'committed' | 'forgotten'
}

interface Kept extends KeptTable {
  readonly pieces: Piece[]
  written: number
  /** By committable. */
  readonly prepared: Map<string, Piece>
  readonly committed: Map<string, CheckpointId>
}

export function keptTables(name: string): KeptTables {
  const tables = new Map<string, Kept>()
  let writers = 0
  return {
    tables,
    forget() {
      for (const kept of tables.values()) {
        for (const piece of kept.pieces) if (piece.state === 'written') piece.state = 'forgotten'
      }
    },
    connector: {
      name,
      summary: 'Changes that a test looks at',
      options: [
        { name: 'modes', kind: 'string', required: false, fallback: 'append', summary: '' },
      ],
      metadata: {},
      sink: {
        guarantee: 'exactly-once',
        modes: ({ modes }) => modesOf(modes),
        async open(request) {
          const kept = tables.get(request.table) ?? keep(request)
          tables.set(request.table, kept)
          return {
            guarantee: 'exactly-once',
            prepareTable: async () => {},
            openWriter: async (_worker, memory) => keptWriter(kept, request, memory, ++writers),
            openCommitter: async () => keptCommitter(kept, request),
          }
        },
      },
    },
  }
}

function modesOf(text: string | undefined): ChangelogMode[] {
  return (text ?? '')
    .split(',')
    .filter((mode) => mode === 'append' || mode === 'upsert' || mode === 'retract')
}

function keep({ schema, primaryKey, mode }: SinkRequest): Kept {
  const kept: Kept = {
    schema,
    primaryKey,
    mode,
    pieces: [],
    written: 0,
    prepared: new Map(),
    committed: new Map(),
    changes: () =>
      kept.pieces
        .filter(({ state }) => state !== 'forgotten')
        .flatMap(({ changes }) => changes)
        .sort((left, right) => left.place - right.place),
  }
  return kept
}

function keptWriter(
  kept: Kept,
  { schema, ports }: SinkRequest,
  memory: LinearMemory,
  writer: number,
): SinkWriter {
  const read = rowReader(schema, { nested: nestedValue })
  let piece: Piece | undefined
  return {
    write(batch) {
      if (piece === undefined) {
        piece = { changes: [], state: 'written' }
        kept.pieces.push(piece)
      }
      for (const row of selectedRows(memory, batch)) {
        const kind = rowKindAt(memory, batch, row)
        piece.changes.push({ kind, row: read(memory, batch.columns, row), place: kept.written++ })
      }
    },
    full: false,
    drain: async () => {},
    async prepare({ incarnation, counter }) {
      ports.faultPoint('kept-prepare')
      if (piece === undefined) return undefined
      const committable = `${incarnation}-${counter}-${writer}`
      kept.prepared.set(committable, piece)
      piece = undefined
      ports.faultPoint('kept-prepared')
      return committable
    },
    close: async () => {},
  }
}

function keptCommitter(kept: Kept, { ports }: SinkRequest): SinkCommitter {
  return {
    async commit({ pipeline, checkpoint, committables }) {
      ports.faultPoint('kept-commit')
      const last = kept.committed.get(pipeline)
      const already = last !== undefined && !isAfter(checkpoint, last)
      if (!already) {
        for (const committable of committables) keepForGood(kept, committable)
        kept.committed.set(pipeline, checkpoint)
      }
      ports.faultPoint('kept-committed')
      return { kind: 'committed', already }
    },
    lastCommitted: async (pipeline) => kept.committed.get(pipeline),
    close: async () => {},
  }
}

/** A forgotten piece comes back behind what there is: that is when it became visible. */
function keepForGood(kept: Kept, committable: string): void {
  const piece = kept.prepared.get(committable)
  if (piece === undefined) return
  kept.prepared.delete(committable)
  if (piece.state === 'forgotten') {
    piece.changes = piece.changes.map((change) => ({ ...change, place: kept.written++ }))
  }
  piece.state = 'committed'
}
