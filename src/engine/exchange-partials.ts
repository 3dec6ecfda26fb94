/**
 * What has been added up where it was read, on its way to the workers that own its keys: records of groups, for all workers alike;
 * each takes those of its own key groups.
 *
 *   0    u32 length   u32 kind (MESSAGE)   u32 bytes of records
 *   16   i64 pane
 *   32   records, as in a checkpoint
 */
import type { Batch } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { Partials } from './operator.ts'
import { MESSAGE_ALIGN } from './ring.ts'

export const PARTIAL_MESSAGE = 3
const RECORDS_AT = 32

export interface ExchangedPartials {
  /** True if the rows have been added up here: they need not travel. None of them may be late by what has been told. */
  add(batch: Batch): boolean
  /** To be called before the others are told `watermarkUs`. */
  flush(watermarkUs: bigint): void
  receive(at: Pointer): void
}

export interface PartialsOptions {
  readonly memory: LinearMemory
  /** Of the operator that the rows are for; undefined: it takes rows only. */
  readonly partials: Partials | undefined
  /** This worker's key groups. */
  readonly groups: { readonly groupStart: number; readonly groupEnd: number }
  /** To all other workers. */
  send(message: Uint8Array): void
}

export function exchangedPartials(options: PartialsOptions): ExchangedPartials {
  const { memory, partials, groups } = options
  return {
    add(batch) {
      if (partials === undefined || !partials.pays(batch.count)) return false
      partials.add(batch)
      return true
    },
    flush(watermarkUs) {
      partials?.flush(watermarkUs, (pane, records) => {
        options.send(messageOf(pane, records))
        partials.take(pane, records, groups)
      })
    },
    receive(at) {
      const pane = Number(memory.i64[at / 8 + 2]!)
      const start = at + RECORDS_AT
      const records = memory.u8.subarray(start, start + memory.u32[at / 4 + 2]!)
      partials!.take(pane, records, groups)
    },
  }
}

function messageOf(pane: number, records: Uint8Array): Uint8Array {
  const length = Math.ceil((RECORDS_AT + records.length) / MESSAGE_ALIGN) * MESSAGE_ALIGN
  const message = new Uint8Array(length)
  const view = new DataView(message.buffer)
  view.setUint32(0, length, true)
  view.setUint32(4, PARTIAL_MESSAGE, true)
  view.setUint32(8, records.length, true)
  view.setBigInt64(16, BigInt(pane), true)
  message.set(records, RECORDS_AT)
  return message
}
