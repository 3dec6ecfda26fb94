/** Every code of a running Kafka has facts that have it and facts that have not. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { clusterPage } from '../../scripts/audit-docs.ts'
import type { PartitionFacts, TopicFacts } from '../../src/advise/audit/cluster-facts.ts'
import {
  clusterAudit,
  clusterMarkdown,
  clusterSarif,
} from '../../src/advise/audit/cluster-report.ts'
import { CLUSTER_CODES, type ClusterCode } from '../../src/advise/audit/rules-cluster.ts'

const NOW_MS = Date.UTC(2026, 0, 31)
const DAY_MS = 86_400_000

function partitions(...ofDay: number[]): PartitionFacts[] {
  return ofDay.map((recordsOfDay, partition) => ({
    partition,
    hasLeader: true,
    records: 7 * recordsOfDay,
    recordsOfHour: recordsOfDay / 24,
    recordsOfDay,
    newestMs: NOW_MS - 1000,
  }))
}

const GOOD: TopicFacts = {
  name: 'orders',
  partitions: partitions(240_000, 264_000, 216_000),
  replicas: 3,
  minInSync: 2,
  retentionMs: 7 * DAY_MS,
  isCompacted: false,
  stampsOnAppend: false,
  subjects: ['orders-value'],
  lateness: {
    records: 20_000,
    outOfOrder: 0,
    asked: 0.999,
    delayMs: 0,
    line: 'WATERMARK FOR `timestamp` AS `timestamp`',
  },
}

const late = { ...GOOD.lateness!, outOfOrder: 412, delayMs: 12_000 }
const quiet = partitions(240, 240, 240).map((each) => ({ ...each, newestMs: NOW_MS - 8 * DAY_MS }))

const HAS: Readonly<Record<ClusterCode, readonly (readonly [Partial<TopicFacts>, RegExp])[]>> = {
  PARTITION_LEADERLESS: [
    [
      { partitions: partitions(10, 10).map((each) => ({ ...each, hasLeader: false })) },
      /partitions 0, 1 of 2/,
    ],
  ],
  REPLICAS_FEW: [
    [{ replicas: 1 }, /^1 replica, min.insync.replicas is 2$/],
    [{ minInSync: 1 }, /^3 replicas, min.insync.replicas is 1$/],
  ],
  RETENTION_BRIEF: [[{ retentionMs: DAY_MS }, /24 h/]],
  TOPIC_SCHEMALESS: [[{ subjects: [] }, /no subject/]],
  TOPIC_IDLE: [
    [{ partitions: quiet }, /8 d old/],
    [{ partitions: partitions(0).map(({ newestMs: _, ...each }) => each) }, /no record/],
  ],
  PARTITION_IDLE: [[{ partitions: partitions(9000, 0, 9000) }, /^partition 1 of 3/]],
  PARTITION_HOT: [
    [{ partitions: partitions(100_000, 10, 10, 10, 10) }, /^partition 0 got 100 %/],
    [{ partitions: partitions(100, 9900) }, /^partition 1 got 99 % of the day's 10000 records$/],
  ],
  PARTITIONS_MANY: [
    [
      { partitions: partitions(...Array.from({ length: 24 }, () => 3600)) },
      /^24 partitions for 1 rec/,
    ],
  ],
  TIMESTAMP_AHEAD: [
    [
      { partitions: partitions(9000).map((each) => ({ ...each, newestMs: NOW_MS + DAY_MS })) },
      /24 h ahead/,
    ],
  ],
  RECORDS_LATE: [
    [{ lateness: late }, /^412 of the newest 20000 .* 99.9 % come within 12 s: WATERMARK FOR/],
    [{ lateness: { ...late, unfounded: 'replayed' } }, /no delay can be had from them: replayed$/],
  ],
}

function auditOf(topic: TopicFacts) {
  return clusterAudit({ servers: 'k:9092', nowMs: NOW_MS, topics: [topic] })
}

test('a good topic has no finding, nor has one of which nothing may be read', () => {
  assert.deepEqual(auditOf(GOOD).findings, [])
  const { name, partitions: own, replicas } = GOOD
  assert.deepEqual(auditOf({ name, partitions: own, replicas }).findings, [])
  assert.match(clusterMarkdown(auditOf({ name, partitions: own, replicas })), /\| \? \| \? \|/)
})

for (const code of CLUSTER_CODES) {
  test(`${code} is told with its figures, and has a page`, () => {
    for (const [facts, says] of HAS[code]) {
      const { findings } = auditOf({ ...GOOD, ...facts })
      const found = findings.filter((finding) => finding.code === code)
      assert.equal(found.length, 1, JSON.stringify(findings))
      assert.match(found[0]!.says, says)
    }
    assert.equal(readFileSync(`docs/audit/${code}.md`, 'utf8'), clusterPage(code))
  })
}

test('the gravest comes first, and every finding stands in SARIF and Markdown', () => {
  const audit = clusterAudit({
    servers: 'k:9092',
    nowMs: NOW_MS,
    topics: Object.values(HAS).flatMap((all) => all.map(([facts]) => ({ ...GOOD, ...facts }))),
  })
  assert.equal(audit.findings[0]!.severity, 'error')
  assert.equal(audit.findings.at(-1)!.severity, 'note')
  const sarif = JSON.parse(JSON.stringify(clusterSarif(audit, '0.1.0')))
  assert.equal(sarif.runs[0].results.length, audit.findings.length)
  const markdown = clusterMarkdown(audit)
  for (const { says, page } of audit.findings)
    assert.ok(markdown.includes(says) && markdown.includes(page))
})
