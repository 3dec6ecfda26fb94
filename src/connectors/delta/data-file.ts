/** One data file while it is written: pages are made at once, bytes wait for `drain`, nothing is visible before a commit. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { Codec } from '../../formats/parquet/codecs.ts'
import { parquetFileWriter, type WrittenFile } from '../../formats/parquet/write.ts'
import type { ObjectStore, ObjectWriter } from '../../ports/objects.ts'

const ROW_GROUP_BYTES = 16 << 20

export interface DataFile {
  readonly key: string
  readonly rowCount: number
  /** Bytes so far, compressed and waiting ones counted as they are. */
  readonly bytes: number
  /** Finished bytes that wait for `drain`. */
  readonly waitingBytes: number
  /** Bytes of the row group that fills. */
  readonly fillingBytes: number
  write(
    memory: LinearMemory,
    rows: Pick<Batch, 'selection' | 'count'>,
    columns: readonly Vector[],
  ): void
  /** Hands what is held and finished to the store. */
  drain(): Promise<void>
  /** Ends the row group that fills, to hold less. */
  flush(): void
  /** Durable when it resolves. */
  finish(): Promise<WrittenFile>
  abort(): Promise<void>
}

export function dataFile(options: {
  readonly store: ObjectStore
  readonly key: string
  readonly schema: Schema
  readonly codec: Codec
}): DataFile {
  const { store, key } = options
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let emitted = 0
  let writer: ObjectWriter | undefined
  const file = parquetFileWriter({
    schema: options.schema,
    codec: options.codec,
    rowGroupBytes: ROW_GROUP_BYTES,
    out(bytes) {
      waiting.push(bytes)
      waitingBytes += bytes.length
      emitted += bytes.length
    },
  })
  const drain = async () => {
    writer ??= await store.writer(key)
    const pieces = waiting
    waiting = []
    waitingBytes = 0
    for (const piece of pieces) writer.write(piece)
  }
  return {
    key,
    get rowCount() {
      return file.rowCount
    },
    get bytes() {
      return file.bytes
    },
    get waitingBytes() {
      return waitingBytes
    },
    get fillingBytes() {
      return file.bytes - emitted
    },
    write: file.write,
    drain,
    flush: file.flush,
    async finish() {
      const written = file.finish()
      await drain()
      await writer?.finish()
      return written
    },
    async abort() {
      await writer?.abort()
    },
  }
}
