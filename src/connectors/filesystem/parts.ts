/** What parts hold and how they are named, wherever they lie. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { RecordEncoder } from '../../formats/format.ts'
import { type CheckpointId, isAfter, type SinkRequest } from '../contract/sink.ts'
import { openValueFormat } from '../formats.ts'

export const BUFFER_BYTES = 1 << 20
const LINE_FEED = 10

/** The rows as lines; `take` copies what it is given. */
export function writeLines(
  memory: LinearMemory,
  encoder: RecordEncoder,
  batch: Batch,
  buffer: Uint8Array,
  take: (bytes: Uint8Array) => void,
): void {
  const cells = encoder.encode(batch) >>> 2
  let used = 0
  const flush = (): void => {
    take(buffer.subarray(0, used))
    used = 0
  }
  for (let at = 0; at < batch.count; at++) {
    const address = memory.u32[cells + 2 * at]!
    const bytes = memory.u32[cells + 2 * at + 1]!
    if (used + bytes + 1 > buffer.length) flush()
    const line = memory.u8.subarray(address, address + bytes)
    if (bytes + 1 > buffer.length) take(line)
    else {
      buffer.set(line, used)
      used += bytes
    }
    buffer[used++] = LINE_FEED
  }
  flush()
}

/** Several pipelines may write one directory: a part bears its pipeline's name, as far as names of files can. */
export function prefixOf(pipeline: string): string {
  return encodeURIComponent(pipeline)
}

export function partName(
  pipeline: string,
  worker: number,
  { incarnation, counter }: CheckpointId,
): string {
  return `${prefixOf(pipeline)}-${worker}-${incarnation}-${counter}`
}

export function endingOf(request: SinkRequest): string {
  return openValueFormat(request, request.table, 'json').format.fileEnding ?? 'json'
}

/** By the names of parts: whoever moves them away makes it forget, which only matters to a restore from an old savepoint. */
export function lastOf(
  names: readonly string[],
  pipeline: string,
  ending: string,
): CheckpointId | undefined {
  const prefix = `${prefixOf(pipeline)}-`
  let last: CheckpointId | undefined
  for (const name of names) {
    const match = /^\d+-(\d+)-(\d+)(?:-\d+)?\.(\w+)$/.exec(name.slice(prefix.length))
    if (match === null || match[3] !== ending || !name.startsWith(prefix)) continue
    const found = { incarnation: Number(match[1]), counter: Number(match[2]) }
    if (last === undefined || isAfter(found, last)) last = found
  }
  return last
}
