/** Removes the oldest segments of a partition: what is too old or too much, and nobody has pinned. */
import type { Ports } from '../ports/ports.ts'
import type { PartitionWriter } from './partition-writer.ts'
import { removeSegment } from './recovery.ts'
import { listSegments, segmentPath } from './segment.ts'
import { lastTime } from './segment-index.ts'
import type { TopicConfig } from './topics.ts'

export interface SegmentFacts {
  readonly baseOffset: number
  /** Exclusive. */
  readonly endOffset: number
  readonly bytes: number
  /** The greatest timestamp in it; undefined if nothing says so. */
  readonly lastTimeMs: number | undefined
}

/**
 * The offset that the log should start at: the end of the last segment that may go.
 * `segments` are the closed ones, oldest first; `activeBytes` counts towards retention.bytes and stays.
 */
export function retainedFrom(
  segments: readonly SegmentFacts[],
  activeBytes: number,
  config: TopicConfig,
  nowMs: number,
  pinnedFrom: number | undefined,
): number | undefined {
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, activeBytes)
  let start: number | undefined
  for (const segment of segments) {
    const { lastTimeMs, endOffset } = segment
    const isOld =
      config.retentionMs >= 0 && lastTimeMs !== undefined && nowMs - lastTimeMs > config.retentionMs
    // As Kafka: a segment goes when the rest still fills what is to be kept.
    const isTooMuch = config.retentionBytes >= 0 && bytes - segment.bytes >= config.retentionBytes
    if (!isOld && !isTooMuch) break
    if (pinnedFrom !== undefined && endOffset > pinnedFrom) break
    start = endOffset
    bytes -= segment.bytes
  }
  return start
}

/** Applies retention; returns how many segments went. Durable: the log's start moves before its segments go. */
export async function retainPartition(
  ports: Ports,
  writer: PartitionWriter,
  config: TopicConfig,
  pinnedFrom: number | undefined,
): Promise<number> {
  return writer.exclusively(async () => {
    const closed = closedSegments(ports, writer)
    const active = segmentPath(writer.directory, writer.activeBaseOffset, 'log')
    const activeBytes = ports.files.stat(active)?.bytes ?? 0
    const start = retainedFrom(closed, activeBytes, config, ports.clock.nowMs(), pinnedFrom)
    if (start === undefined) return 0
    ports.faultPoint('log.retention.move-start')
    await writer.moveLogStart(start)
    const gone = closed.filter((segment) => segment.endOffset <= start)
    for (const { baseOffset } of gone) {
      ports.faultPoint('log.retention.remove')
      removeSegment(ports.files, writer.directory, baseOffset)
    }
    ports.faultPoint('log.retention.directory-sync')
    await ports.files.syncDirectory(writer.directory)
    return gone.length
  })
}

/** All but the active one, oldest first. */
export function closedSegments({ files }: Ports, writer: PartitionWriter): SegmentFacts[] {
  const { directory } = writer
  const bases = listSegments(files, directory)
  return bases.slice(0, -1).map((baseOffset, place) => ({
    baseOffset,
    endOffset: bases[place + 1]!,
    bytes: files.stat(segmentPath(directory, baseOffset, 'log'))?.bytes ?? 0,
    lastTimeMs: lastTime(files, directory, baseOffset),
  }))
}
