/**
 * Rows that stand in the table's own options, as JSON lines: small tables, examples, tests. Bounded, read exactly again.
 *
 *   'data' = '{"id":1,"name":"a"}
 *             {"id":2,"name":"b"}'
 *
 * With 'changelog' = 'true' a line may start with its row kind: `+I {...}`, `-U {...}`, `+U {...}`, `-D {...}`.
 */
import { type Batch, ROW_KIND_TEXT } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { createJsonDecoder } from '../../formats/json/decode.ts'
import type { Connector } from '../contract/connector.ts'
import type { DeadRow, Source, SourceReader, SourceRequest } from '../contract/source.ts'

export const values: Connector = {
  name: 'values',
  summary: "Rows that stand in the table's options, one JSON object a line",
  options: [
    { name: 'data', kind: 'string', required: true, summary: 'The rows: one JSON object a line' },
    {
      name: 'changelog',
      kind: 'boolean',
      required: false,
      fallback: 'false',
      summary: 'Lines may start with a row kind: +I, -U, +U, -D',
    },
    {
      name: 'json.timestamp-format.standard',
      kind: 'enum',
      values: ['SQL', 'ISO-8601'],
      required: false,
      fallback: 'SQL',
      summary: "How times are written: '2026-01-31 23:59:59.5' or '2026-01-31T23:59:59.5'",
    },
  ],
  metadata: {},
  source: {
    replay: 'exact',
    mode: (options) => (options.changelog === 'true' ? 'retract' : 'append'),
    bounded: () => true,
    open: async (request) => valuesSource(request),
  },
}

interface Line {
  /** RowKind by its byte. */
  readonly kind: number
  readonly bytes: Uint8Array
}

function valuesSource(request: SourceRequest): Source {
  const lines = linesOf(request)
  return {
    replay: 'exact',
    bounded: true,
    splits: async () => ['0'],
    endPosition: async () => `${lines.length}`,
    open: async (_split, start, memory) =>
      openValues(request, lines, start === undefined ? 0 : Number(start), memory),
    close: async () => {},
  }
}

function linesOf({ table, options }: SourceRequest): Line[] {
  const changelog = options.changelog === 'true'
  const encoder = new TextEncoder()
  return options
    .data!.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const kind = ROW_KIND_TEXT.findIndex((text) => line.startsWith(`${text} `))
      if (kind < 0) return { kind: 0, bytes: encoder.encode(line) }
      if (!changelog) throw kindUnexpected(table, line)
      return { kind, bytes: encoder.encode(line.slice(3)) }
    })
}

function openValues(
  request: SourceRequest,
  lines: readonly Line[],
  start: number,
  memory: LinearMemory,
): SourceReader {
  const isIso = request.options['json.timestamp-format.standard'] === 'ISO-8601'
  const decoder = createJsonDecoder({
    memory,
    schema: request.schema,
    timestampFormat: isIso ? 'ISO-8601' : 'SQL',
  })
  const hasKinds = request.options.changelog === 'true'
  let next = start
  return {
    poll({ rowsMax, until }) {
      if (next >= lines.length) return 'ended'
      const end = Math.min(
        lines.length,
        next + rowsMax,
        until === undefined ? lines.length : Number(until),
      )
      if (next >= end) return undefined
      const some = lines.slice(next, end)
      const { columns, rowCount, selection, count, dead } = decoder.decode(
        cellsOf(memory, some),
        some.length,
      )
      const kinds = hasKinds ? kindsOf(memory, some) : 0
      const batch: Batch = { rowCount, columns, kinds, selection, count }
      const first = next
      next = end
      return {
        batch,
        appendTimeUs: 0,
        next: `${next}`,
        positionOf: (row) => `${first + row}`,
        dead: dead.map(({ row, reason }): DeadRow => {
          return { bytes: some[row]!.bytes, reason, position: `${first + row}`, beforeRow: row }
        }),
        lag: lines.length - next,
      }
    },
    committed: async () => {},
    close: async () => decoder.dispose(),
  }
}

function cellsOf(memory: LinearMemory, lines: readonly Line[]): Pointer {
  const cells = memory.arena.allocate(8 * lines.length)
  lines.forEach(({ bytes }, row) => {
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(cells >>> 2) + 2 * row] = address
    memory.u32[(cells >>> 2) + 2 * row + 1] = bytes.length
  })
  return cells
}

function kindsOf(memory: LinearMemory, lines: readonly Line[]): Pointer {
  const kinds = memory.arena.allocate(lines.length)
  lines.forEach(({ kind }, row) => {
    memory.u8[kinds + row] = kind
  })
  return kinds
}

function kindUnexpected(table: string, line: string): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: `table ${table}: 'data' has a row kind in the line ${JSON.stringify(line)}`,
    hint: "set 'changelog' = 'true' if the rows are changes",
    facts: { table, line },
  })
}
