/**
 * Whether readers can go ahead without the recovery of a partition: it is shown to its end, all of it synced, and its last batches
 * are whole. Then only who appends to it must recover it: going through a whole segment for every start would cost more than
 * many a run. Damage further back is told by whoever reads it.
 */

import type { Files } from '../ports/files.ts'
import { scanBatches } from './batch-scan.ts'
import { readPublishedFile } from './high-watermark.ts'
import { listSegments, segmentPath } from './segment.ts'
import { lookUpOffset } from './segment-index.ts'

export function endedWell(files: Files, directory: string): boolean {
  const published = readPublishedFile(files, directory)
  const bases = listSegments(files, directory)
  const last = bases.at(-1)
  if (!bases.every((base) => hasIndexes(files, directory, base))) return false
  if (published === undefined || last === undefined) return false
  const { highWatermark, durableTo } = published
  if (highWatermark !== durableTo || highWatermark <= last) return false
  const file = files.open(segmentPath(directory, last, 'log'), 'read')
  try {
    const bytes = file.bytes()
    let nextOffset = 0
    const from = lookUpOffset(files, directory, last, highWatermark)
    const end = scanBatches(file, from, bytes, ({ header }) => {
      nextOffset = header.lastOffset + 1
      return undefined
    })
    return end.position === bytes && nextOffset === highWatermark
  } finally {
    file.close()
  }
}

function hasIndexes(files: Files, directory: string, base: number): boolean {
  const suffixes = ['index', 'timeindex'] as const
  return suffixes.every((suffix) => files.exists(segmentPath(directory, base, suffix)))
}
