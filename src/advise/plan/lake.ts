/** What tables cost: their bytes, and the requests of their commits. Compaction is the true cost of short commits, so its files are counted too. */
import type { Book } from '../cost/book.ts'
import { type CostLine, figure, lineOf } from '../cost/lines.ts'
import { keptGb, loadOf } from './load.ts'
import type { Planned, Situation } from './situation.ts'

export interface Commits {
  /** Seconds between two. */
  readonly seconds: number
  readonly aMonth: number
  readonly filesADay: number
  readonly requestsAMonth: number
}

/** Absent where nothing is a table. */
export function commitsOf({
  tables,
  book,
}: Pick<Situation, 'tables' | 'book'>): Commits | undefined {
  if (tables.length === 0) return undefined
  const seconds = Math.min(...tables.map((each) => each.seconds))
  const aMonth = (book.limit('hours-a-month') * 3600) / seconds
  const files = book.limit('lake-files-a-commit')
  return {
    seconds,
    aMonth,
    filesADay: (files * 86_400) / seconds,
    requestsAMonth: aMonth * (files + book.limit('lake-metadata-a-commit')),
  }
}

export function lakeLines(situation: Pick<Situation, 'tables' | 'book'>): CostLine[] {
  const { tables, book } = situation
  const commits = commitsOf(situation)
  if (commits === undefined) return []
  const kept = [...byStream(tables)].reduce((sum, [, group]) => sum + keptBytes(group), 0)
  const compressed = kept / book.limit('lake-compression')
  const { requestsAMonth, filesADay } = commits
  return [
    lineOf(
      book,
      'storage',
      's3-standard',
      compressed,
      `${figure(kept)} GB of history, a quarter of it as Parquet`.replace(
        'a quarter of it',
        `1/${book.limit('lake-compression')} of it`,
      ),
    ),
    lineOf(
      book,
      'requests',
      's3-put',
      requestsAMonth / 1000,
      `a commit each ${figure(commits.seconds)} s: ${figure(filesADay)} data files a day to compact`,
    ),
  ]
}

export function lakeGb(tables: readonly Planned[], book: Book): number {
  const kept = [...byStream(tables)].reduce((sum, [, group]) => sum + keptBytes(group), 0)
  return kept / book.limit('lake-compression')
}

function byStream(tables: readonly Planned[]): Map<string, Planned[]> {
  const groups = new Map<string, Planned[]>()
  for (const each of tables) {
    const { from } = each.output
    groups.set(from, [...(groups.get(from) ?? []), each])
  }
  return groups
}

/** GB of the longest history that a table of the stream needs. */
function keptBytes(group: readonly Planned[]): number {
  const days = Math.max(...group.map(({ output }) => output.historyDays))
  return keptGb(loadOf(group.map(({ output }) => output)).in, days)
}
