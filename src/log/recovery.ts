/**
 * Opens a partition for writing, whatever the last writer's end was like.
 *
 * Only the last segment can have a torn end: the others were synced before the next was made. Its batches are all
 * checked; bytes after the last whole one are cut off if nothing says that they had been synced, and are damage otherwise.
 */
import { dirname } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { Files } from '../ports/files.ts'
import type { Ports } from '../ports/ports.ts'
import { scanBatches } from './batch-scan.ts'
import { ensureDirectory, readText } from './durable-files.ts'
import { type Published, readPublishedFile } from './high-watermark.ts'
import { createProducerTable, type ProducerTable, restoreProducerTable } from './producers.ts'
import {
  type ActiveSegment,
  closeSegment,
  indexBatch,
  indexTime,
  listSegments,
  openSegment,
  segmentPath,
} from './segment.ts'

export interface RecoveredPartition {
  readonly active: ActiveSegment
  readonly producers: ProducerTable
  /** The offset that the next record gets. */
  readonly nextOffset: number
  readonly logStart: number
  /** Bytes of a torn write that were cut off. */
  readonly truncatedBytes: number
}

const NOTHING_PUBLISHED: Published = { highWatermark: 0, durableTo: 0, logStart: 0 }
const COPY_BYTES = 1 << 20

/**
 * Makes the directory if it is missing. All that is found is durable when it resolves.
 * @throws LOG_CORRUPT if records that had been synced are missing or damaged
 */
export async function recoverPartition(
  ports: Ports,
  directory: string,
): Promise<RecoveredPartition> {
  const { files } = ports
  await ensureDirectory(ports, dirname(directory), directory)
  const published = readPublishedFile(files, directory) ?? NOTHING_PUBLISHED
  removeLeftovers(files, directory, published.logStart)
  const bases = listSegments(files, directory)
  const last = bases.at(-1) ?? published.logStart
  if (bases.length === 0 && published.durableTo > published.logStart)
    throw damaged(segmentPath(directory, last, 'log'), 0, 'the segment is missing', published)
  for (const base of bases.slice(0, -1)) ensureIndexes(ports, directory, base)
  const producers = producersBefore(ports, directory, bases)
  const active = openSegment(files, directory, last)
  const scanned = await scanActive(ports, directory, active, producers, published)
  return {
    active,
    producers,
    nextOffset: scanned.nextOffset,
    logStart: Math.max(published.logStart, bases[0] ?? last),
    truncatedBytes: scanned.truncatedBytes,
  }
}

async function scanActive(
  ports: Ports,
  directory: string,
  active: ActiveSegment,
  producers: ProducerTable,
  published: Published,
): Promise<{ readonly nextOffset: number; readonly truncatedBytes: number }> {
  const { log, baseOffset } = active
  const bytes = log.bytes()
  active.index.truncate(0)
  active.timeIndex.truncate(0)
  let nextOffset = baseOffset
  let unsyncedFrom = 0
  const nowMs = ports.clock.nowMs()
  const end = scanBatches(log, 0, bytes, ({ header, position }) => {
    if (header.baseOffset < nextOffset) return 'stop'
    indexBatch(active, header, nowMs)
    producers.record(header)
    nextOffset = header.lastOffset + 1
    if (nextOffset <= published.durableTo) unsyncedFrom = position + header.bytes
    return undefined
  })
  if (nextOffset < published.durableTo) {
    closeSegment(active)
    const what = end.fault ?? `the file ends at offset ${nextOffset}`
    throw damaged(segmentPath(directory, baseOffset, 'log'), end.position, what, published)
  }
  if (end.position < bytes) {
    ports.faultPoint('log.recovery.truncate')
    log.truncate(end.position)
  }
  // What a failed sync left in the page cache reads well and may yet be lost: written again, it can be synced.
  rewrite(active, unsyncedFrom, end.position)
  indexTime(active)
  ports.faultPoint('log.recovery.sync')
  await log.sync()
  await active.index.sync()
  await active.timeIndex.sync()
  await ports.files.syncDirectory(directory)
  return { nextOffset, truncatedBytes: bytes - end.position }
}

function rewrite({ log }: ActiveSegment, from: number, to: number): void {
  const block = new Uint8Array(Math.min(COPY_BYTES, Math.max(to - from, 0)))
  for (let position = from; position < to; position += block.length) {
    const part = block.subarray(0, Math.min(block.length, to - position))
    log.write(part.subarray(0, log.read(part, position)), position)
  }
}

/** What retention and compaction had not finished removing, and segments that lie wholly below the log's start. */
function removeLeftovers(files: Files, directory: string, logStart: number): void {
  for (const name of files.list(directory))
    if (name.endsWith('.cleaned') || name.endsWith('.tmp')) files.remove(`${directory}/${name}`)
  const bases = listSegments(files, directory)
  for (const [place, base] of bases.entries()) {
    const next = bases[place + 1]
    if (next !== undefined && next <= logStart) removeSegment(files, directory, base)
  }
}

/** The indexes first: a segment without them is whole, and found again by the next recovery. */
export function removeSegment(files: Files, directory: string, base: number): void {
  for (const suffix of ['index', 'timeindex', 'producers', 'log'] as const) {
    const path = segmentPath(directory, base, suffix)
    if (files.exists(path)) files.remove(path)
  }
}

function ensureIndexes(ports: Ports, directory: string, base: number): void {
  const { files } = ports
  const found = (suffix: 'index' | 'timeindex') =>
    files.exists(segmentPath(directory, base, suffix))
  if (!found('index') || !found('timeindex')) rebuildIndexes(ports, directory, base)
}

/** Makes both index files of a closed segment anew. */
export function rebuildIndexes(ports: Ports, directory: string, base: number): void {
  const segment = openSegment(ports.files, directory, base)
  try {
    segment.index.truncate(0)
    segment.timeIndex.truncate(0)
    const bytes = segment.log.bytes()
    const end = scanBatches(segment.log, 0, bytes, ({ header }) => {
      indexBatch(segment, header, 0)
      return undefined
    })
    if (end.fault !== undefined)
      throw damaged(segmentPath(directory, base, 'log'), end.position, end.fault, undefined)
    indexTime(segment)
  } finally {
    closeSegment(segment)
  }
}

/** The table as it was before the last segment: from its snapshot, or from the batches of all the others. */
function producersBefore(ports: Ports, directory: string, bases: readonly number[]): ProducerTable {
  const last = bases.at(-1)
  if (last === undefined) return createProducerTable()
  const text = readText(ports, segmentPath(directory, last, 'producers'))
  const restored = text === undefined ? undefined : restoreProducerTable(text)
  if (restored !== undefined) return restored
  const producers = createProducerTable()
  for (const base of bases.slice(0, -1)) {
    const path = segmentPath(directory, base, 'log')
    const file = ports.files.open(path, 'read')
    try {
      const end = scanBatches(file, 0, file.bytes(), ({ header }) => {
        producers.record(header)
        return undefined
      })
      if (end.fault !== undefined) throw damaged(path, end.position, end.fault, undefined)
    } finally {
      file.close()
    }
  }
  return producers
}

/** `byte` is the place in the file from which on it can't be believed. */
export function damaged(
  path: string,
  byte: number,
  what: string,
  published: Published | undefined,
): MillraceError {
  const lost = published === undefined ? '' : `; records up to ${published.durableTo} were synced`
  return new MillraceError('LOG_CORRUPT', {
    message: `${path} is damaged at byte ${byte}: ${what}${lost}`,
    hint: 'restore the file from a copy, or move the partition directory away and produce its records again',
    facts: { path, byte, durableTo: published?.durableTo },
  })
}
