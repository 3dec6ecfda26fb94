/** Rows as requests to an HTTP service: staged with the checkpoint, sent at its commit. See outbox.ts and committer.ts. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { types } from '../../data/types.ts'
import { bytesAt } from '../../data/values.ts'
import type { RecordEncoder } from '../../formats/format.ts'
import type { Sink, SinkRequest, SinkWriter } from '../contract/sink.ts'
import { openValueFormat } from '../formats.ts'
import { openHttpCommitter } from './committer.ts'
import { sinkSettings } from './options.ts'
import { createStaging, type Outbox, outboxOf } from './outbox.ts'

type Options = Readonly<Record<string, string>>

export function guaranteeOf(options: Options): Sink['guarantee'] {
  return options['sink.delivery-guarantee'] === 'exactly-once' ? 'exactly-once' : 'at-least-once'
}

/** @throws HTTP_OPTION_INVALID */
export async function openHttpSink(request: SinkRequest): Promise<Sink> {
  const { ports, dataDirectory, pipeline, table, options, schema } = request
  const settings = sinkSettings(table, options, schema)
  const outbox = outboxOf(ports, dataDirectory, pipeline, table)
  return {
    guarantee: guaranteeOf(options),
    prepareTable: () => openValueFormat(request, table, 'json').prepareSink(schema),
    openWriter: (worker, memory) => messageWriter(request, outbox, worker, memory),
    openCommitter: () => openHttpCommitter(request, settings, outbox),
  }
}

interface ColumnTexts {
  readonly name: string
  /** Bytes that the encoder writes before the value: `{"name":`. */
  readonly start: number
  readonly encoder: RecordEncoder
}

async function messageWriter(
  request: SinkRequest,
  outbox: Outbox,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const format = openValueFormat(request, request.table, 'json')
  const columns: ColumnTexts[] = []
  for (const field of request.schema) {
    const encoder = await format.openEncoder(memory, [field])
    columns.push({
      name: field.name,
      start: Buffer.byteLength(JSON.stringify(field.name)) + 2,
      encoder,
    })
  }
  const staging = createStaging(outbox, worker)
  return {
    write(batch) {
      if (batch.count === 0) return
      const mark = memory.arena.mark()
      const texts = columns.map((column, index) => valueTexts(memory, column, batch, index))
      for (let row = 0; row < batch.count; row++) {
        staging.add(
          Object.fromEntries(columns.map(({ name }, index) => [name, texts[index]![row]!])),
        )
        if (staging.full) staging.flush()
      }
      memory.arena.release(mark)
    },
    full: false,
    drain: async () => {},
    async prepare(checkpoint) {
      const staged = await staging.prepare(checkpoint)
      return staged === undefined ? undefined : JSON.stringify(staged)
    },
    async close() {
      staging.close()
      for (const { encoder } of columns) encoder.dispose()
    },
  }
}

/** The column's values of the selected rows, each as its JSON text. */
function valueTexts(
  memory: LinearMemory,
  { start, encoder }: ColumnTexts,
  batch: Batch,
  index: number,
): string[] {
  const cells: Pointer = encoder.encode({ ...batch, columns: [batch.columns[index]!] })
  const vector = { type: types.bytes, cells, validity: 0 }
  return Array.from({ length: batch.count }, (_, row) =>
    Buffer.from(bytesAt(memory, vector, row))
      .toString('utf8')
      .slice(start, -1),
  )
}
