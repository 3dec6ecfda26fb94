/** Everything that is wrong with a project's files, found in one go. */
import type { ErrorCode } from '../errors.ts'

export interface Finding {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
  /** Relative to the project. */
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** As it is shown: plain lines, the place underlined. */
  readonly text: string
}

/** Thrown by what can't go on with a broken project; `check` reports the findings instead. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError'
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    super(findings.map(({ text }) => text).join('\n\n'))
    this.findings = findings
  }
}
