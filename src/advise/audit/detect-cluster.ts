/** What will go wrong with a running Kafka, by its facts: a function a code, a sentence with its figures a topic. */
import { spanText } from '../../time/delay.ts'
import {
  type ClusterFacts,
  newestOf,
  type PartitionFacts,
  perSecond,
  recordsOf,
  type TopicFacts,
} from './cluster-facts.ts'
import { CLUSTER_CODES, type ClusterCode } from './rules-cluster.ts'

const DAY_MS = 86_400_000
/** A pipeline may stand still over a long weekend. */
const OUTAGE_MS = 3 * DAY_MS
const SILENT_MS = 7 * DAY_MS
/** Fewer records of a day tell nothing of how partitions share them. */
const SHARED_LEAST = 1000
/** Times the mean of all partitions. */
const HOT_FACTOR = 4
const PARTITIONS_USUAL = 6
const RATE_OF_PARTITION_LEAST = 1
/** Clocks that agree this well are right. */
const CLOCK_AHEAD_MS = 60_000

export interface ClusterFound {
  readonly code: ClusterCode
  readonly topic: string
  /** What it is here, in its figures. */
  readonly says: string
}

type DetectTopic = (topic: TopicFacts, nowMs: number) => string | undefined

const DETECT: Readonly<Record<ClusterCode, DetectTopic>> = {
  PARTITION_LEADERLESS({ partitions }) {
    const without = partitions.filter(({ hasLeader }) => !hasLeader)
    return said(
      without.length > 0,
      () => `${numbers(without)} of ${partitions.length} have no leader`,
    )
  },
  REPLICAS_FEW({ replicas, minInSync }) {
    const isFew = replicas < 2 || (minInSync !== undefined && minInSync < 2)
    const least = minInSync === undefined ? '' : `, min.insync.replicas is ${minInSync}`
    return said(isFew, () => `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}${least}`)
  },
  RETENTION_BRIEF({ retentionMs }) {
    const isBrief = retentionMs !== undefined && retentionMs >= 0 && retentionMs < OUTAGE_MS
    return said(isBrief, () => `records go after ${spanText(retentionMs! * 1000)}`)
  },
  TOPIC_SCHEMALESS({ subjects }) {
    return said(subjects?.length === 0, () => 'the registry has no subject for it')
  },
  TOPIC_IDLE(topic, nowMs) {
    const newestMs = newestOf(topic)
    if (newestMs === undefined) return said(recordsOf(topic) === 0, () => 'it holds no record')
    return said(isIdle(topic, nowMs), () => `its newest record is ${ago(newestMs, nowMs)} old`)
  },
  PARTITION_IDLE(topic, nowMs) {
    if (isIdle(topic, nowMs)) return undefined
    const silent = topic.partitions.filter(({ recordsOfDay }) => recordsOfDay === 0)
    const isSome = silent.length > 0 && silent.length < topic.partitions.length
    return said(
      isSome,
      () => `${numbers(silent)} of ${topic.partitions.length} had no record for a day`,
    )
  },
  PARTITION_HOT({ partitions }) {
    const ofDay = partitions.reduce((sum, { recordsOfDay }) => sum + recordsOfDay, 0)
    if (partitions.length < 2 || ofDay < SHARED_LEAST) return undefined
    const [most] = partitions.toSorted((left, right) => right.recordsOfDay - left.recordsOfDay)
    // Of two or three partitions none can have four times the mean.
    const factor = Math.min(HOT_FACTOR, 0.9 * partitions.length)
    const isHot = most!.recordsOfDay > (factor * ofDay) / partitions.length
    const share = Math.round((100 * most!.recordsOfDay) / ofDay)
    return said(
      isHot,
      () => `partition ${most!.partition} got ${share} % of the day's ${ofDay} records`,
    )
  },
  PARTITIONS_MANY(topic, nowMs) {
    const count = topic.partitions.length
    const rate = perSecond(topic, 'day')
    const isMany = count > PARTITIONS_USUAL && rate < count * RATE_OF_PARTITION_LEAST
    if (isIdle(topic, nowMs)) return undefined
    return said(isMany, () => `${count} partitions for ${figure(rate)} records/s`)
  },
  TIMESTAMP_AHEAD(topic, nowMs) {
    const newestMs = newestOf(topic) ?? 0
    const aheadMs = newestMs - nowMs
    return said(
      aheadMs > CLOCK_AHEAD_MS,
      () => `its newest timestamp is ${spanText(aheadMs * 1000)} ahead of now`,
    )
  },
  RECORDS_LATE({ lateness }) {
    if (lateness === undefined || lateness.outOfOrder === 0) return undefined
    const { records, outOfOrder, asked, delayMs, line, unfounded } = lateness
    const of = `${outOfOrder} of the newest ${records} records are out of order`
    if (unfounded !== undefined) return `${of}; no delay can be had from them: ${unfounded}`
    const share = `${Number((100 * asked).toFixed(3))} %`
    return `${of}; ${share} come within ${spanText(delayMs * 1000)}: ${line}`
  },
}

/** The gravest need not come first: who shows them orders them. */
export function auditCluster({ topics, nowMs }: ClusterFacts): ClusterFound[] {
  return topics.flatMap((topic) =>
    CLUSTER_CODES.flatMap((code) => {
      const says = DETECT[code](topic, nowMs)
      return says === undefined ? [] : [{ code, topic: topic.name, says }]
    }),
  )
}

function isIdle(topic: TopicFacts, nowMs: number): boolean {
  const newestMs = newestOf(topic)
  return newestMs === undefined || nowMs - newestMs > SILENT_MS
}

function said(is: boolean, says: () => string): string | undefined {
  return is ? says() : undefined
}

const SHOWN = 8

function numbers(partitions: readonly PartitionFacts[]): string {
  const shown = partitions.slice(0, SHOWN).map(({ partition }) => partition)
  const more = partitions.length - shown.length
  const word = partitions.length === 1 ? 'partition' : 'partitions'
  return `${word} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function ago(ms: number, nowMs: number): string {
  return spanText((nowMs - ms) * 1000)
}

export function figure(rate: number): string {
  return rate >= 10 ? `${Math.round(rate)}` : `${Number(rate.toPrecision(2))}`
}
