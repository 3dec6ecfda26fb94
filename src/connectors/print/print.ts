/**
 * Prints each change as a line, as Flink's print connector does: `+I[oslo, 2]`, with the identifier before it if there is one.
 * At least once: rows are printed when they are made, and again after a restart.
 */

import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { nestedValue } from '../../data/nested-values.ts'
import { type DataType, types } from '../../data/types.ts'
import { isNull, rowKindAt, selectedRows, type Value, valueAt } from '../../data/values.ts'
import type { Connector } from '../contract/connector.ts'
import type { Sink, SinkRequest } from '../contract/sink.ts'

export const print: Connector = {
  name: 'print',
  summary: 'Prints each change as a line on standard output',
  options: [
    {
      name: 'print-identifier',
      kind: 'string',
      required: false,
      summary: 'Stands before each line, followed by "> "',
    },
  ],
  metadata: {},
  sink: {
    guarantee: 'at-least-once',
    modes: () => ['retract', 'upsert', 'append'],
    open: async (request) => printSink(request),
  },
}

function printSink({ options, ports }: SinkRequest): Sink {
  const identifier = options['print-identifier']
  const prefix = identifier === undefined ? '' : `${identifier}> `
  return {
    guarantee: 'at-least-once',
    prepareTable: async () => {},
    openWriter: async (_worker, memory) => ({
      write(batch) {
        for (const line of changeLines(memory, batch)) ports.print(prefix + line)
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
  }
}

/** `+I[a, 1, null]`, one line a selected row. */
export function* changeLines(memory: LinearMemory, batch: Batch): Generator<string> {
  for (const row of selectedRows(memory, batch)) {
    const values = batch.columns.map((column) =>
      isNull(memory, column, row)
        ? 'null'
        : printed(valueAt(memory, column, row, { nested: nestedValue }), column.type),
    )
    yield `${rowKindAt(memory, batch, row)}[${values.join(', ')}]`
  }
}

/** As Java prints a Flink row's field. */
function printed(value: Value, type: DataType): string {
  if (value === null) return 'null'
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `[${[...new Int8Array(value)].join(', ')}]`
  if (Array.isArray(value))
    return type.kind === 'map' ? mapText(value, type) : arrayText(value, type)
  if (typeof value === 'object' && type.kind === 'row')
    return `+I[${Object.values(value)
      .map((each, index) => printed(each, type.fields[index]!.type))
      .join(', ')}]`
  return String(value)
}

function arrayText(values: readonly Value[], type: DataType): string {
  const element = type.kind === 'array' ? type.element : types.null
  return `[${values.map((each) => printed(each, element)).join(', ')}]`
}

function mapText(pairs: readonly Value[], { key, value }: DataType & { kind: 'map' }): string {
  const texts = pairs.map((pair) => {
    const [of, to] = pair as readonly [Value, Value]
    return `${printed(of, key)}=${printed(to, value)}`
  })
  return `{${texts.join(', ')}}`
}
