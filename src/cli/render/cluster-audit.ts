/** An audit of a running Kafka on a terminal: the topics, then what is found. */
import { type ClusterAudit, TOPIC_COLUMNS } from '../../advise/audit/cluster-report.ts'
import { countsText } from '../../advise/audit/report.ts'
import { CLUSTER_RULES } from '../../advise/audit/rules-cluster.ts'
import type { Style } from './style.ts'
import { tableLines } from './table.ts'
import { wrapText } from './wrap.ts'

const WIDTH_LEAST = 60
const WIDTH_MOST = 110

export function clusterLines(audit: ClusterAudit, style: Style, columns: number): string[] {
  const width = Math.max(WIDTH_LEAST, Math.min(columns, WIDTH_MOST))
  const { topics, findings, nowMs } = audit
  const table = tableLines(
    TOPIC_COLUMNS.map(({ name, isNumber }) => ({ name, align: isNumber ? 'right' : 'left' })),
    topics.map((topic) => TOPIC_COLUMNS.map(({ text }) => text(topic, nowMs))),
    style,
  )
  const counts = countsText(findings)
  return [
    ...table,
    '',
    ...findings.flatMap((finding) => [...findingLines(finding, style, width), '']),
    findings.length === 0 ? style.good(counts) : style.strong(counts),
  ]
}

function findingLines(
  { code, severity, topic, says, why, remedy }: ClusterAudit['findings'][number],
  style: Style,
  width: number,
): string[] {
  const paint = { error: style.bad, warning: style.warning, note: style.faint }[severity]
  return [
    `${paint(severity)} ${style.name(code)}${style.faint(':')} ${style.strong(CLUSTER_RULES[code].title)}`,
    ...wrapText(`${style.name(topic)}: ${says}.`, width, '  '),
    ...wrapText(why, width, '  ').map(style.faint),
    ...wrapText(`= ${remedy}`, width, '  '),
  ]
}
