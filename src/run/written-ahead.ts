/** Changed state that is written ahead of the next checkpoint, between batches: a barrier finds little left to write, and is short. */
import type { Dataflow } from '../engine/dataflow.ts'
import type { Clock } from '../ports/clock.ts'
import type { SnapshotWriter } from '../state/snapshot-writer.ts'

/** Of a table: what a barrier writes of it in some milliseconds. Tables in which less changes are written once a checkpoint. */
const CHANGES_MIN = 32_768
const EVERY_MS = 5
/** Of the time between checkpoints, its last part: what changes again, or goes, is not written for nothing. */
const SHARE = 0.25
/** Beyond it the rest waits for the barrier, where each entry is written once; but for what state in files has: that is read once anyway. */
const BYTES_MAX = 64 << 20

/** To be called between batches. @param intervalMs between checkpoints */
export function writtenAhead(
  dataflow: Pick<Dataflow, 'operators'>,
  writer: SnapshotWriter,
  clock: Clock,
  intervalMs: number,
): () => void {
  let lastMs = clock.monotonicMs()
  let beganMs = lastMs
  let { finished } = writer
  return () => {
    const nowMs = clock.monotonicMs()
    if (nowMs - lastMs < EVERY_MS) return
    lastMs = nowMs
    if (writer.finished !== finished) {
      finished = writer.finished
      beganMs = nowMs
    }
    if (nowMs - beganMs < (1 - SHARE) * intervalMs) return
    writeAhead(dataflow, writer, writer.bytes < BYTES_MAX ? CHANGES_MIN : Number.POSITIVE_INFINITY)
  }
}

/** Writes the tables in which so many entries have changed, and some of what changed in state that is in files. */
export function writeAhead(
  { operators }: Pick<Dataflow, 'operators'>,
  writer: SnapshotWriter,
  changesMin: number,
): void {
  for (const { node, operator } of operators) {
    operator.snapshot(writer.ahead(node.id, changesMin))
  }
}
