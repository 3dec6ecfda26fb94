/**
 * Golden files: a query, what it is fed, and what must come out, in one small text.
 *
 *   # a comment: what the scenario shows
 *   create    shops (city STRING)                 a table of the scenario's own; may stand several times
 *   view      names AS SELECT ...
 *   function  risk AS './risk.ts#risk'            of the scenario's own; the path starts where the project does
 *   query     SELECT ...                          may go on in lines that begin with spaces, as everything may
 *   pipeline  revenue                             instead of a query: a pipeline of the project; `revenue totals` is its sink totals
 *   set       'sql.overflow' = 'error'            as in SET
 *   feed      shops  +I oslo  -D oslo             rows of a table, in order; a second `feed` of a table is another split
 *   changes   +I oslo 1  -U oslo 1  +U oslo 2     the changelog with one-row batches
 *   table     oslo 2                              what every way must fold to, sorted; rows stand two spaces or a line apart
 *   late      00:00:05 00:00:03 00:00:12          window start, event time and watermark of each row and window that missed each other
 *   dead      'it is no number'                   the reason of each row that could not be used
 *
 * Values stand in the order of the table's columns, without computed ones, which have none: see row-text.ts.
 */
import { MillraceError } from '../../errors.ts'

export interface GoldenFile {
  readonly path: string
  /** The lines above the answers, as they stand. */
  readonly head: string
  /** What stands behind CREATE TABLE, one a table. */
  readonly creates: readonly string[]
  readonly views: readonly string[]
  readonly functions: readonly string[]
  /** What stands behind SET. */
  readonly sets: readonly string[]
  readonly asked:
    | { readonly kind: 'query'; readonly sql: string }
    | { readonly kind: 'pipeline'; readonly name: string; readonly sink: string | undefined }
  readonly feeds: readonly GoldenFeed[]
  readonly answers: Answers
}

export interface GoldenFeed {
  readonly table: string
  /** Row kinds and values. */
  readonly tokens: readonly string[]
}

export interface Answers {
  readonly changes: readonly string[]
  /** Sorted, as `late` and `dead`. */
  readonly table: readonly string[]
  readonly late: readonly string[]
  readonly dead: readonly string[]
}

interface Section {
  readonly name: string
  text: string
}

const SECTIONS = [
  'set',
  'function',
  'create',
  'view',
  'query',
  'pipeline',
  'feed',
  'changes',
  'table',
  'late',
  'dead',
]
const WIDTH = 88

/** @throws TEST_INVALID */
export function parseGolden(path: string, text: string): GoldenFile {
  const sections = sectionsOf(path, text)
  const all = (name: string) =>
    sections.filter((each) => each.name === name).map((each) => each.text)
  const rows = (name: string) =>
    all(name)
      .flatMap((answer) => answer.split(/ {2,}|\n/))
      .map((row) => row.trim())
      .filter((row) => row !== '')
  const headEnd = text.search(/^(changes|table|late|dead)\b/m)
  return {
    path,
    head: (headEnd < 0 ? text : text.slice(0, headEnd)).trimEnd(),
    creates: all('create'),
    views: all('view'),
    functions: all('function'),
    sets: all('set'),
    asked: askedOf(path, all('query'), all('pipeline')),
    feeds: all('feed').map((feed) => {
      const [table = '', ...tokens] = feed.match(/'(?:[^']|'')*'|\S+/g) ?? []
      return { table, tokens }
    }),
    answers: {
      changes: rowsOfChanges(rows('changes').join('  ')),
      table: rows('table'),
      late: rows('late'),
      dead: rows('dead'),
    },
  }
}

/** The file's text with these answers. `isTimed`: rows may come too late, and none that did is told too. */
export function withAnswers(
  { head }: Pick<GoldenFile, 'head'>,
  { changes, table, late, dead }: Answers,
  isTimed: boolean,
): string {
  return [
    head,
    section('changes', changes),
    section('table', table),
    ...(isTimed || late.length > 0 ? [section('late', late)] : []),
    ...(dead.length > 0 ? [section('dead', dead)] : []),
    '',
  ].join('\n')
}

function section(name: string, rows: readonly string[]): string {
  const lines: string[] = []
  for (const row of rows) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + row.length < WIDTH)
      lines[lines.length - 1] += `   ${row}`
    else lines.push(row)
  }
  return `${name.padEnd(9)}${lines.join(`\n${' '.repeat(9)}`)}`.trimEnd()
}

function sectionsOf(path: string, text: string): Section[] {
  const sections: Section[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith('#') || line.trim() === '') continue
    const last = sections.at(-1)
    if (line.startsWith(' ') && last !== undefined) {
      last.text += `\n${line.trim()}`
      continue
    }
    const name = line.split(/\s/)[0]!
    if (!SECTIONS.includes(name)) {
      const message = `line ${index + 1} begins with ${JSON.stringify(name)}`
      throw goldenInvalid(path, message, `a section is one of ${SECTIONS.join(', ')}`)
    }
    sections.push({ name, text: line.slice(name.length).trim() })
  }
  return sections
}

function askedOf(
  path: string,
  queries: readonly string[],
  pipelines: readonly string[],
): GoldenFile['asked'] {
  const [asked, ...more] = [...queries, ...pipelines]
  if (asked === undefined || more.length > 0) {
    const message = `it asks ${asked === undefined ? 'nothing' : 'more than one thing'}`
    throw goldenInvalid(path, message, "give it one 'query SELECT ...' or one 'pipeline NAME'")
  }
  if (queries.length > 0) return { kind: 'query', sql: asked }
  const [name, sink] = asked.split(/\s+/)
  return { kind: 'pipeline', name: name!, sink }
}

/** Rows of changes may stand one space apart: each begins with its kind. */
function rowsOfChanges(text: string): string[] {
  return text
    .split(/ +(?=(?:\+I|-U|\+U|-D) )/)
    .map((row) => row.trim())
    .filter((row) => row !== '')
}

export function goldenInvalid(path: string, message: string, hint: string): MillraceError {
  return new MillraceError('TEST_INVALID', {
    message: `${path}: ${message}`,
    hint,
    facts: { file: path },
  })
}
