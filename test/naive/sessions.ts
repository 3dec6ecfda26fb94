/** Sessions, a row at a time: open ones are a list that is looked through for every row. */
import type { Expression } from '../../src/plan/expressions.ts'
import { evaluate } from './expression.ts'
import type { Change, Missed } from './interpret.ts'
import { keyOf } from './interpret.ts'

export interface Session {
  start: bigint
  end: bigint
  readonly changes: Change[]
}

interface Open {
  readonly key: string
  readonly session: Session
}

/** Every session there was, and the rows that came when theirs had closed. Rows without a time are left out. */
export function sessionsOf(
  changes: readonly Change[],
  partition: readonly Expression[],
  time: number,
  gapUs: bigint,
): { readonly sessions: readonly Session[]; readonly missed: readonly Missed[] } {
  const missed: Missed[] = []
  const closed: Session[] = []
  let open: Open[] = []
  for (const change of inTime(changes)) {
    const { row, watermark } = change
    const at = row[time] as bigint | null
    if (at === null) continue
    const isClosed = (end: bigint): boolean => watermark !== undefined && watermark >= end - 1000n
    closed.push(...open.filter(({ session }) => isClosed(session.end)).map((one) => one.session))
    open = open.filter(({ session }) => !isClosed(session.end))
    const key = keyOf(partition.map((each) => evaluate(each, row)))
    const met = open.filter(
      (one) => one.key === key && at <= one.session.end && at + gapUs >= one.session.start,
    )
    if (met.length === 0 && isClosed(at + gapUs)) {
      missed.push({ row, timeUs: at, startUs: at, watermarkUs: watermark! })
      continue
    }
    const merged: Session = { start: at, end: at + gapUs, changes: [] }
    for (const { session } of met) {
      if (session.start < merged.start) merged.start = session.start
      if (session.end > merged.end) merged.end = session.end
      merged.changes.push(...session.changes)
    }
    merged.changes.push(change)
    open = [...open.filter((one) => !met.includes(one)), { key, session: merged }]
  }
  return { sessions: [...closed, ...open.map(({ session }) => session)], missed }
}

/** The parts of a union come one after another: rows as they were read have watermarks that never go back. */
function inTime(changes: readonly Change[]): readonly Change[] {
  const least = -(2n ** 63n)
  return [...changes].sort((left, right) => {
    const [a, b] = [left.watermark ?? least, right.watermark ?? least]
    return a < b ? -1 : a > b ? 1 : 0
  })
}
