/** Findings of an audit on a terminal: what, where, the line underlined, why, and what to do. */
import {
  type Audit,
  type AuditFinding,
  countsText,
  openFindings,
} from '../../advise/audit/report.ts'
import { RULES } from '../../advise/audit/rules.ts'
import type { Style } from './style.ts'
import { wrapText } from './wrap.ts'

const WIDTH_LEAST = 60
const WIDTH_MOST = 110

/** `textOf` gives the text of a file by its name. */
export function auditLines(
  audit: Audit,
  textOf: (file: string) => string,
  style: Style,
  columns: number,
): string[] {
  const width = Math.max(WIDTH_LEAST, Math.min(columns, WIDTH_MOST))
  const open = openFindings(audit)
  const mechanical = open.filter(({ fix }) => fix !== undefined).length
  const suppressed = audit.findings.length - open.length
  const counts = countsText(open)
  return [
    ...open.flatMap((finding) => [
      ...findingLines(finding, textOf(finding.file), style, width),
      '',
    ]),
    `${open.length === 0 ? style.good(counts) : style.strong(counts)}${mechanical === 0 ? '' : `; --fix mends ${mechanical}`}${suppressed === 0 ? '' : style.faint(`; ${suppressed} suppressed`)}`,
  ]
}

function findingLines(finding: AuditFinding, text: string, style: Style, width: number): string[] {
  const { code, severity, file, line, column, endLine, endColumn, says, why, remedy } = finding
  const source = (text.split('\n')[line - 1] ?? '').replace(/\r$/, '')
  const gutter = ' '.repeat(`${line}`.length)
  const length = (endLine === line ? endColumn : source.length + 1) - column
  const marks = '^'.repeat(Math.max(1, length))
  const indent = source.slice(0, column - 1).replace(/[^\t]/g, ' ')
  const paint = severity === 'note' ? style.faint : style.warning
  return [
    `${paint(severity)} ${style.name(code)}${style.faint(':')} ${style.strong(RULES[code].title)}`,
    `${gutter}${style.faint('-->')} ${style.name(`${file}:${line}:${column}`)}`,
    `${style.faint(`${line} |`)} ${source}`,
    `${gutter} ${style.faint('|')} ${indent}${paint(marks)}`,
    ...wrapText(`${says}.`, width, '  '),
    ...wrapText(why, width, '  ').map(style.faint),
    ...wrapText(`= ${remedy}`, width, '  '),
  ]
}
