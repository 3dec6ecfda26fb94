/**
 * MATCH_RECOGNIZE equals an oracle that tries every way to share rows out among the terms, however rows are cut and restarted: one row a
 * match, each row of it, and rows of no match.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import { type Fed, type FedRow, rowText, runWay, tableOf } from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'
import { watermarkedInputs } from '../builders/watermarked.ts'
import type { Change } from '../naive/interpret.ts'

const SECOND = 1_000_000n

interface Term {
  readonly variable: string
  readonly text: string
  readonly least: number
  readonly most: number
  readonly greedy: boolean
}

const quantifier = fc.constantFrom(
  { text: '', least: 1, most: 1, greedy: false },
  { text: '+', least: 1, most: 99, greedy: true },
  { text: '*', least: 0, most: 99, greedy: true },
  { text: '?', least: 0, most: 1, greedy: false },
  { text: '{2}', least: 2, most: 2, greedy: false },
  { text: '{1,2}', least: 1, most: 2, greedy: true },
  { text: '+?', least: 1, most: 99, greedy: false },
  { text: '*?', least: 0, most: 99, greedy: false },
)
const last = fc.constantFrom(
  { text: '', least: 1, most: 1, greedy: false },
  { text: '{2}', least: 2, most: 2, greedy: false },
  { text: '+?', least: 1, most: 99, greedy: false },
)
const pattern = fc
  .tuple(fc.array(quantifier, { maxLength: 2 }), last)
  .map(([before, end]) =>
    [...before, end].map((each, index): Term => ({ ...each, variable: 'ABC'[index]! })),
  )

type Fits = (rows: readonly Row[], at: number) => boolean

const v = (rows: readonly Row[], at: number) => rows[at]?.[1] as bigint | undefined

/** Ranges overlap, so that a row may fit several terms. */
const ON_ROW: Readonly<Record<string, readonly [string, Fits]>> = {
  low: ['v < 3', (rows, at) => v(rows, at)! < 3n],
  middle: ['v BETWEEN 1 AND 4', (rows, at) => v(rows, at)! >= 1n && v(rows, at)! <= 4n],
  high: ['v > 2', (rows, at) => v(rows, at)! > 2n],
  even: ['MOD(v, 2) = 0', (rows, at) => v(rows, at)! % 2n === 0n],
}
const AROUND_ROW: typeof ON_ROW = {
  up: ['v > PREV(v)', (rows, at) => v(rows, at)! > (v(rows, at - 1) ?? 9n)],
  'not down twice': [
    'COALESCE(PREV(v, 2), 0) <= v',
    (rows, at) => (v(rows, at - 2) ?? 0n) <= v(rows, at)!,
  ],
  'before a fall': ['NEXT(v) < v', (rows, at) => (v(rows, at + 1) ?? 9n) < v(rows, at)!],
}
const CONDITIONS = { ...ON_ROW, ...AROUND_ROW }
const conditions = fc
  .constantFrom(ON_ROW, CONDITIONS)
  .chain((some) => fc.array(fc.constantFrom(...Object.keys(some)), { minLength: 3, maxLength: 3 }))

const TOLD = {
  one: 'ONE ROW PER MATCH',
  all: 'ALL ROWS PER MATCH',
  unmatched: 'ALL ROWS PER MATCH WITH UNMATCHED ROWS',
} as const

const scenario = fc.record({
  rows: fc.array(
    fc.record({ k: fc.constantFrom('a', 'b'), v: fc.bigInt(0n, 5n), jump: fc.nat(4) }),
    {
      maxLength: 16,
    },
  ),
  pattern,
  conditions,
  skip: fc.constantFrom('PAST LAST ROW', 'TO NEXT ROW'),
  within: fc.constantFrom(undefined, 4n),
  told: fc.constantFrom(...(Object.keys(TOLD) as (keyof typeof TOLD)[])),
  delay: fc.constantFrom(0n, 3n),
  way: fc.record({
    rowsMax: fc.constantFrom(1, 2, 1000),
    restartAfter: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  }),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never

test('matches equal the oracle, and rows behind the watermark are told', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const plan = planOf(given)
      const fed: Fed = new Map([['events', [rowsOf(given)]]])
      const way = given.rows.length === 0 ? {} : given.way
      const ran = await runWay(plan, fed, way)
      const { inputs } = watermarkedInputs(plan, fed, ran.read, given.delay * SECOND)
      const changes = inputs.get('events') as readonly Change[]
      const late = changes.filter((change) => isLate(change))
      const expected = matchesOf(
        given,
        changes.filter((change) => !isLate(change)),
      )
      assert.deepEqual(tableOf(ran.changes), expected.map(rowText).sort())
      assert.equal(ran.late.length, late.length)
    }),
    { numRuns: 400 },
  )
})

function planOf({ pattern, conditions, skip, within, delay, told }: Scenario) {
  const defines = pattern.map(
    ({ variable }, index) => `${variable} AS ${CONDITIONS[conditions[index]!]![0]}`,
  )
  const text = `CREATE TABLE events (k STRING, v BIGINT, t TIMESTAMP(3),
      WATERMARK FOR t AS t - INTERVAL '${delay}' SECOND) WITH ('connector' = 'scripted');
    SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY k ORDER BY t
      MEASURES FIRST(v) AS first_v, LAST(v) AS last_v, COUNT(A.v) AS in_a, SUM(v) AS total, FINAL SUM(v) AS whole,
        MATCH_NUMBER() AS n, CLASSIFIER() AS c, FINAL CLASSIFIER() AS last_c, PREV(v) AS before, NEXT(v, 2) AS behind,
        NEXT(FIRST(A.v)) AS next_of_a, FINAL COUNT(A.*) AS all_a
      ${TOLD[told]}
      AFTER MATCH SKIP ${skip}
      PATTERN (${pattern.map((term) => term.variable + term.text).join(' ')})
      ${within === undefined ? '' : `WITHIN INTERVAL '${within}' SECOND`}
      DEFINE ${defines.join(', ')})`
  const { queries, errors } = bindText(text, 'property', [])
  assert.deepEqual(errors, [])
  return queries[0]!
}

/** No two rows at one time; some behind others. */
function rowsOf({ rows }: Scenario): readonly FedRow[] {
  return rows.map(({ k, v, jump }, index) => {
    const t = (BigInt(index) + BigInt(jump)) * SECOND + BigInt(index) * 1000n
    return { kind: '+I', row: { k, v, t } }
  })
}

function isLate({ row, watermark }: Change): boolean {
  return watermark !== undefined && (row[2] as bigint) <= watermark
}

type Row = Change['row']

function matchesOf(given: Scenario, changes: readonly Change[]): readonly Row[] {
  const rows = changes
    .map(({ row }) => row)
    .sort((a, b) => ((a[2] as bigint) < (b[2] as bigint) ? -1 : 1))
  return ['a', 'b'].flatMap((key) =>
    matchesIn(
      given,
      rows.filter(([k]) => k === key),
    ),
  )
}

interface Match {
  readonly start: number
  /** Of each of its rows. */
  readonly terms: readonly number[]
}

function matchesIn(given: Scenario, rows: readonly Row[]): Row[] {
  const { pattern, conditions, skip, within, told } = given
  const fits = (term: number, at: number) => CONDITIONS[conditions[term]!]![1](rows, at)
  const matches: Match[] = []
  for (let start = 0, resume = 0; start < rows.length; start++) {
    if (start < resume) continue
    const terms = best(pattern, fits, within, rows, start)
    if (terms === undefined) continue
    matches.push({ start, terms })
    resume = skip === 'PAST LAST ROW' ? start + terms.length : start + 1
  }
  const out = matches.flatMap((match, index) => {
    const values = match.terms.map((_, into) => measuresOf(given, rows, match, index, into))
    if (told === 'one') return [[rows[0]![0]!, ...values.at(-1)!]]
    return values.map((each, into) => around(rows[match.start + into]!, each))
  })
  if (told !== 'unmatched') return out
  const isMatched = (at: number) =>
    matches.some(({ start, terms }) => at >= start && at < start + terms.length)
  const unmatched = rows.filter((_, at) => !isMatched(at))
  return [
    ...out,
    ...unmatched.map((row) =>
      around(
        row,
        Array.from({ length: 12 }, () => null),
      ),
    ),
  ]
}

function around([k, value, t]: Row, measures: Row): Row {
  return [k!, t!, ...measures, value!]
}

/** As they are at row `into` of the match. */
function measuresOf(
  { pattern }: Scenario,
  rows: readonly Row[],
  { start, terms }: Match,
  index: number,
  into: number,
): Row {
  const at = start + into
  const sum = (end: number) =>
    rows.slice(start, end).reduce((total, row) => total + (row[1] as bigint), 0n)
  const inA = (end: number) => BigInt(terms.slice(0, end).filter((term) => term === 0).length)
  const name = (term: number) => pattern[term]!.variable
  return [
    v(rows, start)!,
    v(rows, at)!,
    inA(into + 1),
    sum(at + 1),
    sum(start + terms.length),
    BigInt(index + 1),
    name(terms[into]!),
    name(terms.at(-1)!),
    v(rows, at - 1) ?? null,
    v(rows, at + 2) ?? null,
    inA(terms.length) === 0n ? null : (v(rows, start + 1) ?? null),
    inA(terms.length),
  ]
}

/** The terms of the rows of the shortest match; of several the one that stays longest with early terms. */
function best(
  pattern: readonly Term[],
  fits: (term: number, at: number) => boolean,
  within: bigint | undefined,
  rows: readonly Row[],
  start: number,
): readonly number[] | undefined {
  let ways: (readonly number[])[] = [[]]
  for (const row of rows.slice(start)) {
    const isTooLate =
      within !== undefined && (row[2] as bigint) - (rows[start]![2] as bigint) >= within * SECOND
    if (isTooLate) return undefined
    ways = ways
      .flatMap((way) => pattern.map((_, term) => [...way, term]))
      .filter((way) => isAllowed(pattern, fits, start, way))
      .sort(lexicographic)
    const done = ways.find((way) => isWhole(pattern, way))
    if (done !== undefined) return done
  }
  return undefined
}

function isAllowed(
  pattern: readonly Term[],
  fits: (term: number, at: number) => boolean,
  start: number,
  way: readonly number[],
): boolean {
  return way.every((term, at) => {
    const before = at === 0 ? 0 : way[at - 1]!
    const count = (of: number) => way.slice(0, at).filter((each) => each === of).length
    if (term < before || !fits(term, start + at)) return false
    if (count(term) >= pattern[term]!.most) return false
    // Terms that are left, or passed over, have enough rows, and if they are greedy could not have had this one.
    return pattern.slice(before, term).every((passed, index) => {
      const of = before + index
      if (count(of) < passed.least) return false
      return !(passed.greedy && count(of) < passed.most && fits(of, start + at))
    })
  })
}

function isWhole(pattern: readonly Term[], way: readonly number[]): boolean {
  return pattern.every(({ least }, term) => way.filter((each) => each === term).length >= least)
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((term, index) => term !== b[index])
  return at < 0 ? 0 : a[at]! - b[at]!
}
