/**
 * The automaton of a row pattern, as Flink's: variables one behind another, each for a number of rows.
 *
 * Each row begins a *run*; a run has *threads*, the ways in which the rows since may be shared out among the terms. Rows follow one
 * another without gaps, so a thread is no more than how many rows each term has. A greedy term keeps every row that fits it. The first
 * thread that reaches the end makes the run a match; it is told when no earlier run can become one any more.
 *
 * @see Flink, NFA.computeNextStates and NFA.processMatchesAccordingToSkipStrategy
 */
import { MillraceError } from '../../errors.ts'
import type { MatchRecognize } from '../../plan/nodes.ts'
import type { PatternTerm } from '../../plan/patterns.ts'

/** Rows of each term so far; the last is the one that took the last row. */
export type Thread = readonly number[]

export interface Run {
  /** Number of its first row, of all rows of the partition. */
  readonly start: number
  threads: readonly Thread[]
  /** Set when it is a match: its rows are those from `start`. */
  match?: Thread
}

/** Whether row `row` fits term `term` as the next row of a thread. */
export type Fits = (term: number, run: Run, thread: Thread, row: number) => boolean

/** Runs with row `row` taken in; those that are neither alive nor a match are left out. */
export function advance(
  runs: readonly Run[],
  row: number,
  terms: readonly PatternTerm[],
  fits: Fits,
): readonly Run[] {
  return runs.filter((run) => {
    if (run.match !== undefined) return true
    const next: Thread[] = []
    for (const thread of run.threads) {
      for (const taken of takings(run, thread, row, terms, fits)) {
        if (run.match === undefined && isEnd(taken, terms)) run.match = taken
        next.push(taken)
      }
    }
    run.threads = run.match === undefined ? next : []
    return next.length > 0
  })
}

/** The threads that come of one and a row: the row goes to the term at hand, or to a later one. */
function takings(
  run: Run,
  thread: Thread,
  row: number,
  terms: readonly PatternTerm[],
  fits: Fits,
): readonly Thread[] {
  const taken: Thread[] = []
  const last = thread.length - 1
  let isKept = false
  if (last >= 0) {
    const { most, least, greedy } = terms[last]!
    const isRoom = most === undefined || thread[last]! < most
    const isTaken = isRoom && fits(last, run, thread, row)
    if (isTaken) taken.push(thread.with(last, thread[last]! + 1))
    if (thread[last]! < least) return taken
    isKept = greedy && isTaken
  }
  for (let term = last + 1; term < terms.length && !isKept; term++) {
    const { least, greedy } = terms[term]!
    const isTaken = fits(term, run, thread, row)
    if (isTaken) taken.push([...thread, ...zeros(term - thread.length), 1])
    if (least > 0) break
    isKept = greedy && isTaken
  }
  return taken
}

function isEnd(thread: Thread, terms: readonly PatternTerm[]): boolean {
  const last = thread.length - 1
  return (
    thread[last]! >= terms[last]!.least && terms.slice(last + 1).every(({ least }) => least === 0)
  )
}

function zeros(count: number): readonly number[] {
  return Array.from({ length: count }, () => 0)
}

/** Rows of term `term`: [first, end), of all rows of the partition. */
export function rowsOfTerm(run: Run, thread: Thread, term: number): readonly [number, number] {
  let first = run.start
  for (let before = 0; before < term; before++) first += thread[before] ?? 0
  return [first, first + (thread[term] ?? 0)]
}

/** Behind the last row of a thread. */
export function endOf(run: Run, thread: Thread): number {
  return thread.reduce((sum, rows) => sum + rows, run.start)
}

/**
 * The first row at which a match may begin that comes after `run`.
 * @throws MATCH_SKIP_IMPOSSIBLE if the variable has no rows, or the match would begin where it began
 */
export function resumeAt(
  run: Run,
  thread: Thread,
  { pattern, afterMatch }: Pick<MatchRecognize, 'pattern' | 'afterMatch'>,
): number {
  switch (afterMatch.kind) {
    case 'past-last-row':
      return endOf(run, thread)
    case 'to-next-row':
      return run.start + 1
    default: {
      const term = pattern.findIndex(({ variable }) => variable === afterMatch.variable)
      const [first, end] = rowsOfTerm(run, thread, term)
      const target = afterMatch.kind === 'to-first' ? first : end - 1
      if (first === end || target === run.start) throw skipImpossible(afterMatch, first === end)
      return target
    }
  }
}

function skipImpossible(
  afterMatch: Extract<MatchRecognize['afterMatch'], { variable: string }>,
  isEmpty: boolean,
): MillraceError {
  const { variable } = afterMatch
  const where = afterMatch.kind === 'to-first' ? 'FIRST' : 'LAST'
  return new MillraceError('MATCH_SKIP_IMPOSSIBLE', {
    message: isEmpty
      ? `AFTER MATCH SKIP TO ${where} ${variable}: no row of the match is ${variable}'s`
      : `AFTER MATCH SKIP TO ${where} ${variable} would look for the same match again`,
    hint: 'skip to a variable that every match has, and that does not begin it; or SKIP PAST LAST ROW',
    facts: { variable },
  })
}
