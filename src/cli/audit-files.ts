/** From files to findings: each with the project's tables before it, places led back to files, suppressions obeyed. */
import { auditPipeline, type FoundOfCode } from '../advise/audit/audit.ts'
import type { MeasuredDelay, Span } from '../advise/audit/facts.ts'
import { type Audit, type AuditFinding, type FileEdit, pageOf } from '../advise/audit/report.ts'
import { AUDIT_CODES, type AuditCode, RULES } from '../advise/audit/rules.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { pipelineFacts } from './audit-facts.ts'
import type { SqlFile } from './project.ts'
import { type JoinedScript, joinScripts } from './script-text.ts'

export interface AuditRequest {
  /** What is audited. */
  readonly files: readonly SqlFile[]
  /** What a file sees that does not create its own tables, besides the audited files that create nothing else. */
  readonly tables: readonly SqlFile[]
  readonly engine?: 'flink' | 'millrace'
  readonly measured: ReadonlyMap<string, MeasuredDelay>
  retentionUs(topic: string): number | undefined
}

export function auditFiles(request: AuditRequest): Audit {
  const found = new Map<string, AuditFinding>()
  for (const file of request.files)
    for (const finding of findingsOf(file, request)) {
      // What is wrong with a table is met again by each pipeline that uses it.
      const key = `${finding.code} ${finding.file}:${finding.line}:${finding.column}`
      if (!found.has(key)) found.set(key, finding)
    }
  return { files: request.files.map(({ name }) => name), findings: [...found.values()] }
}

function findingsOf(file: SqlFile, request: AuditRequest): AuditFinding[] {
  const { engine, measured, retentionUs } = request
  const others = othersOf(file, request)
  const joined = joinScripts([...others, file])
  const start = others.length === 0 ? 0 : joinScripts(others).text.length
  const facts = pipelineFacts({
    file: file.name,
    text: joined.text,
    start,
    connectors: CONNECTORS,
    ...(engine && { engine }),
    measured,
    retentionUs,
  })
  return [...auditPipeline(facts).map((found) => placed(found, joined)), ...unreasoned(file)]
}

/** What stands before the file: named files that only create tables, and the project's, where the file creates none. */
function othersOf(file: SqlFile, { files, tables }: AuditRequest): SqlFile[] {
  const named = files.filter((each) => createsTables(each) && !/\bINSERT\b/i.test(each.text))
  const project = createsTables(file)
    ? []
    : tables.filter(({ name }) => !named.some((each) => each.name === name))
  return [...project, ...named].filter(({ name }) => name !== file.name)
}

function createsTables({ text }: SqlFile): boolean {
  return /\bCREATE\s+(TEMPORARY\s+)?TABLE\b/i.test(text)
}

function placed({ code, at, says, edit }: FoundOfCode, joined: JoinedScript): AuditFinding {
  const begin = placeIn(joined, at.offset)
  const end = placeIn(joined, at.offset + at.length)
  const { file } = begin
  const suppressed = suppressionOf(file, code, begin.line)
  return {
    ...ofCode(code),
    file: file.name,
    line: begin.line,
    column: begin.column,
    endLine: end.line,
    endColumn: end.column,
    says,
    ...(edit && { fix: editIn(joined, edit) }),
    ...(suppressed !== undefined && { suppressed }),
  }
}

function ofCode(code: AuditCode) {
  const { severity, why, remedy } = RULES[code]
  return { code, severity, why, remedy, page: pageOf(code) }
}

function editIn(joined: JoinedScript, edit: Span & { readonly text: string }): FileEdit {
  const { file, line, column } = placeIn(joined, edit.offset)
  const before = file.text.split('\n').slice(0, line - 1)
  const offset = before.reduce((sum, text) => sum + text.length + 1, 0) + column - 1
  return { file: file.name, offset, length: edit.length, text: edit.text }
}

function placeIn(joined: JoinedScript, offset: number) {
  const before = joined.text.slice(0, offset).split('\n')
  return { ...joined.locate(before.length), column: before.at(-1)!.length + 1 }
}

const SUPPRESSION = /--\s*audit:\s*(ignore|ignore-file)\s+([A-Z_]+)\s*(?::\s*(\S.*?))?\s*$/

/** The reason, on the line of the finding, above it, or for the whole file; undefined if there is none. */
function suppressionOf({ text }: SqlFile, code: AuditCode, line: number): string | undefined {
  const lines = text.split('\n')
  let first = line - 1
  while (first > 0 && /^\s*--/.test(lines[first - 1]!)) first--
  for (const [index, each] of lines.entries()) {
    const [, how, named, reason] = SUPPRESSION.exec(each.replace(/\r$/, '')) ?? []
    if (named !== code || reason === undefined) continue
    if (how === 'ignore-file' || (index >= first && index < line)) return reason
  }
  return undefined
}

function unreasoned({ name, text }: SqlFile): AuditFinding[] {
  return text.split('\n').flatMap((each, index) => {
    const match = SUPPRESSION.exec(each.replace(/\r$/, ''))
    if (match === null) return []
    const [, , code, reason] = match
    const isCode = AUDIT_CODES.some((known) => known === code)
    if (reason !== undefined && isCode) return []
    const line = index + 1
    return [
      {
        ...ofCode('SUPPRESSION_UNREASONED'),
        file: name,
        line,
        column: match.index + 1,
        endLine: line,
        endColumn: match.index + 1 + match[0].length,
        says: isCode
          ? `${code} is ignored, and not why: it is told all the same`
          : `there is no code ${code}`,
      },
    ]
  })
}

/** `text` with the edits of its file, from the last to the first; of two that meet only the first. */
export function withEdits(text: string, edits: readonly FileEdit[]): string {
  const ordered = edits.toSorted((left, right) => left.offset - right.offset)
  const apart = ordered.filter((edit, index) => {
    const before = ordered[index - 1]
    return before === undefined || before.offset + before.length <= edit.offset
  })
  return apart.reduceRight(
    (changed, { offset, length, text: put }) =>
      changed.slice(0, offset) + put + changed.slice(offset + length),
    text,
  )
}
