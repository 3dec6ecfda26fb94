/** What is said of a code. */

export type Severity = 'error' | 'warning' | 'note'

export interface Rule {
  readonly severity: Severity
  readonly title: string
  /** Why it matters. */
  readonly why: string
  /** What to do. */
  readonly remedy: string
  /** Whether `--fix` mends it. */
  readonly isFixed: boolean
  /** A pipeline that has it, and the same one without it. */
  readonly has: string
  readonly hasNot: string
}
