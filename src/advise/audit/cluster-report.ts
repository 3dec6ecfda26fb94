/** An audit of a running Kafka in the forms in which it is told to machines and in Markdown. */
import { spanText } from '../../time/delay.ts'
import {
  type ClusterFacts,
  newestOf,
  perSecond,
  recordsOf,
  type TopicFacts,
} from './cluster-facts.ts'
import { auditCluster, figure } from './detect-cluster.ts'
import { countsText } from './report.ts'
import type { Severity } from './rule.ts'
import { CLUSTER_RULES, type ClusterCode } from './rules-cluster.ts'
import { sarifLog } from './sarif.ts'

export interface ClusterFinding {
  readonly code: ClusterCode
  readonly severity: Severity
  readonly topic: string
  readonly says: string
  readonly why: string
  readonly remedy: string
  /** The page of the code. */
  readonly page: string
}

export interface ClusterAudit extends ClusterFacts {
  /** The gravest first. */
  readonly findings: readonly ClusterFinding[]
}

const ORDER: readonly Severity[] = ['error', 'warning', 'note']
const PRIORITIES = 3

export function clusterAudit(facts: ClusterFacts): ClusterAudit {
  const findings = auditCluster(facts).map(({ code, topic, says }): ClusterFinding => {
    const { severity, why, remedy } = CLUSTER_RULES[code]
    return { code, severity, topic, says, why, remedy, page: `docs/audit/${code}.md` }
  })
  const byWeight = findings.toSorted(
    (left, right) => ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity),
  )
  return { ...facts, findings: byWeight }
}

/** @see SARIF 2.1.0, section 3.33 (logicalLocation): a topic stands in no file */
export function clusterSarif({ servers, findings }: ClusterAudit, version: string): object {
  return sarifLog(CLUSTER_RULES, {
    version,
    findings,
    resultOf: ({ topic, says, remedy }) => ({
      message: { text: `${topic}: ${says}. ${remedy}` },
      locations: [
        {
          logicalLocations: [
            { name: topic, fullyQualifiedName: `${servers}/${topic}`, kind: 'resource' },
          ],
        },
      ],
    }),
  })
}

/** Name and text of each column of the table of topics. */
export const TOPIC_COLUMNS: readonly {
  readonly name: string
  readonly isNumber: boolean
  text(topic: TopicFacts, nowMs: number): string
}[] = [
  { name: 'topic', isNumber: false, text: ({ name }) => name },
  { name: 'partitions', isNumber: true, text: ({ partitions }) => `${partitions.length}` },
  { name: 'replicas', isNumber: true, text: ({ replicas }) => `${replicas}` },
  { name: 'records', isNumber: true, text: (topic) => `${recordsOf(topic)}` },
  { name: '/s (1 h)', isNumber: true, text: (topic) => figure(perSecond(topic, 'hour')) },
  { name: '/s (1 d)', isNumber: true, text: (topic) => figure(perSecond(topic, 'day')) },
  { name: 'newest', isNumber: true, text: newestText },
  { name: 'kept', isNumber: true, text: keptText },
  { name: 'schema', isNumber: false, text: schemaText },
  { name: 'late', isNumber: true, text: lateText },
]

function newestText(topic: TopicFacts, nowMs: number): string {
  const newestMs = newestOf(topic)
  if (newestMs === undefined) return ''
  return newestMs > nowMs
    ? `+${spanText((newestMs - nowMs) * 1000)}`
    : spanText((nowMs - newestMs) * 1000)
}

function keptText({ retentionMs, isCompacted }: TopicFacts): string {
  if (retentionMs === undefined) return '?'
  const kept = retentionMs < 0 ? 'always' : spanText(retentionMs * 1000)
  return isCompacted ? `${kept}, last of a key` : kept
}

function schemaText({ subjects }: TopicFacts): string {
  return subjects === undefined ? '?' : subjects.length === 0 ? 'none' : 'yes'
}

function lateText({ lateness, stampsOnAppend }: TopicFacts): string {
  if (lateness === undefined) return stampsOnAppend ? 'by broker' : '?'
  if (lateness.outOfOrder === 0) return 'in order'
  return lateness.unfounded === undefined ? spanText(lateness.delayMs * 1000) : '?'
}

/** A written plan: what to do first, the topics, then everything. */
export function clusterMarkdown(audit: ClusterAudit): string {
  const { servers, topics, findings, nowMs } = audit
  const rows = topics.map((topic) => TOPIC_COLUMNS.map(({ text }) => text(topic, nowMs)))
  return [
    '# Audit of Kafka',
    `${topics.length} topics of \`${servers}\`, ${new Date(nowMs).toISOString()}. ${countsText(findings)}.`,
    ...(findings.length === 0 ? [] : ['## First']),
    ...firsts(findings).map(
      ({ code, topic, says, remedy }, index) =>
        `${index + 1}. **${CLUSTER_RULES[code].title}** (\`${topic}\`): ${says}. ${remedy}`,
    ),
    '## Topics',
    [
      tableRow(TOPIC_COLUMNS.map(({ name }) => name)),
      tableRow(TOPIC_COLUMNS.map(({ isNumber }) => (isNumber ? '--:' : '---'))),
      ...rows.map(tableRow),
    ].join('\n'),
    ...(findings.length === 0 ? [] : ['## All']),
    ...findings.map(
      ({ code, severity, topic, says, why, remedy, page }) =>
        `### ${topic}: ${CLUSTER_RULES[code].title}\n\n[${code}](${page}), ${severity}\n\n${says}.\n\n${why}\n\n${remedy}`,
    ),
    '',
  ].join('\n\n')
}

/** Of each code the first, for the codes that weigh most. */
function firsts(findings: readonly ClusterFinding[]): ClusterFinding[] {
  const seen = new Set<ClusterCode>()
  return findings.filter(({ code }) => !seen.has(code) && seen.add(code)).slice(0, PRIORITIES)
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
