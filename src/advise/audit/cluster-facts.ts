/** What an audit knows of a running Kafka: of each topic what the brokers and the registry say, and how late its records were. JSON. */

export interface ClusterFacts {
  readonly servers: string
  readonly nowMs: number
  readonly topics: readonly TopicFacts[]
}

export interface TopicFacts {
  readonly name: string
  readonly partitions: readonly PartitionFacts[]
  readonly replicas: number
  /** Absent where its settings may not be read, as the three below. */
  readonly minInSync?: number
  /** -1: not removed by age. */
  readonly retentionMs?: number
  readonly isCompacted?: boolean
  /** Timestamps are the brokers', of when they took records in. */
  readonly stampsOnAppend?: boolean
  /** Subjects of the topic; absent where no registry was asked. */
  readonly subjects?: readonly string[]
  /** Absent where it was not measured, or could not be. */
  readonly lateness?: TopicLateness
}

export interface PartitionFacts {
  readonly partition: number
  readonly hasLeader: boolean
  readonly records: number
  readonly recordsOfHour: number
  readonly recordsOfDay: number
  /** The greatest timestamp; absent: no record. */
  readonly newestMs?: number
}

/** Timestamps against the order of arrival, over the newest records. */
export interface TopicLateness {
  readonly records: number
  readonly outOfOrder: number
  /** In (0, 1): the share that `delayMs` keeps before the watermark. */
  readonly asked: number
  readonly delayMs: number
  /** For CREATE TABLE, over a column of the timestamps. */
  readonly line: string
  /** Why the order is no ground for a delay. */
  readonly unfounded?: string
}

export function perSecond({ partitions }: TopicFacts, of: 'hour' | 'day'): number {
  if (of === 'hour') return sum(partitions, ({ recordsOfHour }) => recordsOfHour) / 3600
  return sum(partitions, ({ recordsOfDay }) => recordsOfDay) / 86_400
}

export function recordsOf({ partitions }: TopicFacts): number {
  return sum(partitions, ({ records }) => records)
}

/** ms; undefined: no record. */
export function newestOf({ partitions }: TopicFacts): number | undefined {
  const newest = Math.max(...partitions.map(({ newestMs }) => newestMs ?? -1))
  return newest < 0 ? undefined : newest
}

function sum(partitions: readonly PartitionFacts[], of: (each: PartitionFacts) => number): number {
  return partitions.reduce((total, each) => total + of(each), 0)
}
