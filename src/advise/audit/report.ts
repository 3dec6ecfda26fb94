/** Findings with their places in files, and the forms in which they are told to machines and to people. */
import type { Severity } from './rule.ts'
import { type AuditCode, RULES } from './rules.ts'
import { sarifLog } from './sarif.ts'

export interface AuditFinding {
  readonly code: AuditCode
  readonly severity: Severity
  /** As it is shown: relative to where the command runs. */
  readonly file: string
  /** Lines and columns from 1; the end is exclusive. */
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly says: string
  readonly why: string
  readonly remedy: string
  /** The page of the code. */
  readonly page: string
  readonly fix?: FileEdit
  /** Why it was suppressed, as the file says. */
  readonly suppressed?: string
}

/** UTF-16 offsets in the file. */
export interface FileEdit {
  readonly file: string
  readonly offset: number
  readonly length: number
  readonly text: string
}

export interface Audit {
  readonly files: readonly string[]
  readonly findings: readonly AuditFinding[]
}

const ORDER: readonly Severity[] = ['error', 'warning', 'note']

export function pageOf(code: AuditCode): string {
  return `docs/audit/${code}.md`
}

/** What is not suppressed, the gravest first, then by place. */
export function openFindings({ findings }: Audit): AuditFinding[] {
  return findings
    .filter(({ suppressed }) => suppressed === undefined)
    .toSorted(
      (left, right) =>
        ORDER.indexOf(left.severity) - ORDER.indexOf(right.severity) ||
        left.file.localeCompare(right.file) ||
        left.line - right.line,
    )
}

/** @see SARIF 2.1.0, sections 3.30 (region), 3.35 (suppression) */
export function sarifOf({ findings }: Audit, version: string): object {
  return sarifLog(RULES, {
    version,
    findings,
    facts: { columnKind: 'utf16CodeUnits' },
    resultOf: (finding) => ({
      message: { text: `${finding.says}. ${finding.remedy}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uriOf(finding.file) },
            region: {
              startLine: finding.line,
              startColumn: finding.column,
              endLine: finding.endLine,
              endColumn: finding.endColumn,
            },
          },
        },
      ],
      ...(finding.fix && { fixes: [sarifFix(finding, finding.fix)] }),
      ...(finding.suppressed !== undefined && {
        suppressions: [{ kind: 'inSource', justification: finding.suppressed }],
      }),
    }),
  })
}

function sarifFix({ remedy }: AuditFinding, { file, offset, length, text }: FileEdit): object {
  return {
    description: { text: remedy },
    artifactChanges: [
      {
        artifactLocation: { uri: uriOf(file) },
        replacements: [
          {
            deletedRegion: { charOffset: offset, charLength: length },
            insertedContent: { text },
          },
        ],
      },
    ],
  }
}

function uriOf(file: string): string {
  return file.split(/[\\/]/).map(encodeURIComponent).join('/')
}

const PRIORITIES = 3

/** A written plan: what to do first, then everything. */
export function auditMarkdown(audit: Audit): string {
  const open = openFindings(audit)
  const suppressed = audit.findings.filter(({ suppressed: reason }) => reason !== undefined)
  const mechanical = open.filter(({ fix }) => fix !== undefined).length
  return [
    '# Audit',
    `${audit.files.length} ${audit.files.length === 1 ? 'file' : 'files'}: ${audit.files.map((file) => `\`${file}\``).join(', ')}. ${countsText(open)}${mechanical === 0 ? '' : `; \`millrace audit --fix\` mends ${mechanical} of them`}.`,
    ...(open.length === 0 ? [] : ['## First']),
    ...firsts(open).map(
      ({ code, says, remedy, file, line }, index) =>
        `${index + 1}. **${RULES[code].title}** (\`${file}:${line}\`): ${says}. ${remedy}`,
    ),
    ...(open.length === 0 ? [] : ['## All']),
    ...open.map(
      ({ code, severity, says, why, remedy, file, line, column, page }) =>
        `### ${RULES[code].title}\n\n[${code}](${page}), ${severity}, \`${file}:${line}:${column}\`\n\n${says}.\n\n${why}\n\n${remedy}`,
    ),
    ...(suppressed.length === 0 ? [] : ['## Suppressed']),
    ...suppressed.map(
      ({ code, file, line, suppressed: reason }) => `- ${code}, \`${file}:${line}\`: ${reason}`,
    ),
    '',
  ].join('\n\n')
}

/** Of each code the first, for the codes that weigh most. */
function firsts(open: readonly AuditFinding[]): AuditFinding[] {
  const seen = new Set<AuditCode>()
  return open.filter(({ code }) => !seen.has(code) && seen.add(code)).slice(0, PRIORITIES)
}

/** '2 warnings, 1 note', or 'nothing found'. */
export function countsText(findings: readonly Pick<AuditFinding, 'severity'>[]): string {
  const counts = ORDER.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`]
  })
  return counts.length === 0 ? 'nothing found' : counts.join(', ')
}
