/** A sink into this process: what `query` and `changes` read from. Rows are told as the table of types says. */
import type { Connector } from '../connectors/contract/connector.ts'
import type { Schema } from '../data/types.ts'
import {
  type RowKindText,
  rowKindAt,
  rowReader,
  selectedRows,
  type ValueOptions,
} from '../data/values.ts'
import type { PlanNode, SinkNode } from '../plan/nodes.ts'
import { schemaOf } from '../plan/nodes.ts'
import type { Change } from './handle.ts'

/** A change that does not know yet how far its sources have been read. */
export type Collected = Omit<Change, 'positions'>

const CONNECTOR = 'collect'
const TABLE = 'result'

export interface Collector {
  readonly connector: Connector
  /** The query as a pipeline's sink. */
  readonly sink: SinkNode
  /** Changes since the last call. */
  take(): Collected[]
}

export function collectorOf(query: PlanNode, options: ValueOptions): Collector {
  const schema = schemaOf(query)
  let held: Collected[] = []
  const connector = collecting(schema, options, (change) => held.push(change))
  return {
    connector,
    sink: {
      kind: 'sink',
      input: query,
      table: {
        name: TABLE,
        columns: schema.map((field) => ({ kind: 'physical', ...field })),
        options: { connector: CONNECTOR },
      },
    },
    take() {
      const taken = held
      held = []
      return taken
    },
  }
}

function collecting(
  schema: Schema,
  options: ValueOptions,
  collect: (change: Collected) => void,
): Connector {
  const read = rowReader(schema, options)
  return {
    name: CONNECTOR,
    summary: 'Rows of a query, for the process that asks',
    options: [],
    metadata: {},
    sink: {
      guarantee: 'at-least-once',
      modes: () => ['retract', 'append'],
      open: async () => ({
        guarantee: 'at-least-once',
        prepareTable: async () => {},
        openWriter: async (_worker, memory) => ({
          write(batch) {
            for (const row of selectedRows(memory, batch)) {
              const kind: RowKindText = rowKindAt(memory, batch, row)
              collect({ kind, row: read(memory, batch.columns, row) })
            }
          },
          full: false,
          drain: async () => {},
          prepare: async () => undefined,
          close: async () => {},
        }),
        openCommitter: async () => ({
          commit: async () => ({ kind: 'committed', already: false }),
          lastCommitted: async () => undefined,
          close: async () => {},
        }),
      }),
    },
  }
}
