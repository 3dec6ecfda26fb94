/** Collects what operators write at a barrier into the bytes of a state file, in memory: nothing waits for a disk here. */
import { crc32c } from '../codec/checksum.ts'
import type { WorkerSnapshot } from './checkpoint.ts'
import { encodeRecord } from './record-codec.ts'
import { encodeFooter, MAGIC, type StateBlock, type TableEntry } from './state-file.ts'
import type { EntrySink, StateWriter } from './state-stream.ts'

export interface SnapshotWriter {
  operator(id: string): StateWriter
  finish(groupStart: number, groupEnd: number): WorkerSnapshot
}

/** Small records are gathered to blocks of about this size. */
const BLOCK_BYTES = 1 << 20

export function createSnapshotWriter(): SnapshotWriter {
  const pieces: Uint8Array[] = [MAGIC]
  const tables: TableEntry[] = []
  let offset = MAGIC.length

  function addBlock(bytes: Uint8Array): StateBlock {
    const block = { offset, bytes: bytes.length, crc32c: crc32c(bytes) }
    pieces.push(bytes)
    offset += bytes.length
    return block
  }

  return {
    operator: (operator) => ({
      table(table, write) {
        const gathered = gather(addBlock)
        write(gathered.sink)
        tables.push({ operator, table, ...gathered.end() })
      },
    }),
    finish(groupStart, groupEnd) {
      pieces.push(encodeFooter(tables))
      return { groupStart, groupEnd, pieces }
    },
  }
}

function gather(addBlock: (bytes: Uint8Array) => StateBlock) {
  const blocks: StateBlock[] = []
  let schema = ''
  let replace = false
  let small: Uint8Array[] = []
  let smallBytes = 0
  const flush = (): void => {
    if (smallBytes === 0) return
    blocks.push(addBlock(Buffer.concat(small)))
    small = []
    smallBytes = 0
  }
  const addSmall = (record: Uint8Array): void => {
    small.push(record)
    smallBytes += record.length
    if (smallBytes >= BLOCK_BYTES) flush()
  }
  const sink: EntrySink = {
    schema(text) {
      schema = text
    },
    replace() {
      replace = true
    },
    put: (keyGroup, key, value) => addSmall(encodeRecord({ keyGroup, key, value })),
    remove: (keyGroup, key) => addSmall(encodeRecord({ keyGroup, key, value: undefined })),
    records(bytes) {
      if (bytes.length < BLOCK_BYTES / 16) {
        addSmall(bytes.slice())
        return
      }
      flush()
      blocks.push(addBlock(bytes.slice()))
    },
  }
  return {
    sink,
    end() {
      flush()
      return { schema, replace, blocks }
    },
  }
}
