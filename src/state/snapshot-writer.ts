/**
 * Collects what operators write at a barrier into the bytes of a state file, in memory: nothing waits for a disk here.
 *
 * Where much has changed, some of it may be written *ahead* of the barrier, between batches, so that less is left for the pause at the
 * barrier itself. Records of a table are in the order in which they were written: those of the barrier are the last.
 */
import { crc32c } from '../codec/checksum.ts'
import type { WorkerSnapshot } from './checkpoint.ts'
import { encodeRecord } from './record-codec.ts'
import { encodeFooter, MAGIC, type StateBlock, type TableEntry } from './state-file.ts'
import type { EntrySink, StateWriter } from './state-stream.ts'

export interface SnapshotWriter {
  operator(id: string): StateWriter
  /** Tables with fewer than `changesMin` changed entries write nothing. */
  ahead(id: string, changesMin: number): StateWriter
  /** Of what has been written. */
  readonly bytes: number
  /** How often it has been. */
  readonly finished: number
  /** Tables that were written ahead only no longer live, and are left out. Afterwards the writer is as new. */
  finish(groupStart: number, groupEnd: number): WorkerSnapshot
}

/** Small records are gathered to blocks of about this size. */
const BLOCK_BYTES = 1 << 20

interface Block {
  readonly bytes: Uint8Array
  readonly crc32c: number
}

interface Written {
  readonly operator: string
  readonly table: string
  schema: string
  replace: boolean
  isNamed: boolean
  blocks: Block[]
  small: Uint8Array[]
  smallBytes: number
}

export function createSnapshotWriter(): SnapshotWriter {
  const tables = new Map<string, Written>()
  let bytes = 0
  let finished = 0

  function writtenOf(operator: string, table: string): Written {
    const key = `${operator}\n${table}`
    const known = tables.get(key)
    if (known !== undefined) return known
    const none = {
      schema: '',
      replace: false,
      isNamed: false,
      blocks: [],
      small: [],
      smallBytes: 0,
    }
    const written: Written = { operator, table, ...none }
    tables.set(key, written)
    return written
  }

  const count = (more: number): void => {
    bytes += more
  }

  return {
    operator: (operator) => ({
      table(table, write) {
        const written = writtenOf(operator, table)
        written.isNamed = true
        write(sinkOf(written, count))
      },
    }),
    ahead: (operator, changesMin) => ({
      isAhead: true,
      changesMin,
      table: (table, write) => write({ ...sinkOf(writtenOf(operator, table), count), changesMin }),
    }),
    get bytes() {
      return bytes
    },
    get finished() {
      return finished
    },
    finish(groupStart, groupEnd) {
      const named = [...tables.values()].filter(({ isNamed }) => isNamed)
      tables.clear()
      bytes = 0
      finished++
      return { groupStart, groupEnd, pieces: fileOf(named) }
    },
  }
}

function fileOf(tables: readonly Written[]): Uint8Array[] {
  const pieces: Uint8Array[] = [MAGIC]
  let offset = MAGIC.length
  const entries = tables.map((written): TableEntry => {
    flush(written)
    const { operator, table, schema, replace } = written
    const blocks = written.blocks.map((block): StateBlock => {
      const place = { offset, bytes: block.bytes.length, crc32c: block.crc32c }
      pieces.push(block.bytes)
      offset += block.bytes.length
      return place
    })
    return { operator, table, schema, replace, blocks }
  })
  pieces.push(encodeFooter(entries))
  return pieces
}

function sinkOf(written: Written, count: (bytes: number) => void): EntrySink {
  const addSmall = (record: Uint8Array): void => {
    count(record.length)
    written.small.push(record)
    written.smallBytes += record.length
    if (written.smallBytes >= BLOCK_BYTES) flush(written)
  }
  return {
    schema(text) {
      written.schema = text
    },
    replace() {
      written.replace = true
      written.blocks = []
      written.small = []
      written.smallBytes = 0
    },
    put: (keyGroup, key, value) => addSmall(encodeRecord({ keyGroup, key, value })),
    remove: (keyGroup, key) => addSmall(encodeRecord({ keyGroup, key, value: undefined })),
    records(bytes) {
      if (bytes.length < BLOCK_BYTES / 16) {
        addSmall(bytes.slice())
        return
      }
      flush(written)
      count(bytes.length)
      written.blocks.push(blockOf(bytes.slice()))
    },
  }
}

function flush(written: Written): void {
  if (written.smallBytes === 0) return
  written.blocks.push(blockOf(Buffer.concat(written.small)))
  written.small = []
  written.smallBytes = 0
}

function blockOf(bytes: Uint8Array): Block {
  return { bytes, crc32c: crc32c(bytes) }
}
