/** What holds each kind of node: a golden program, a test against an oracle or of laws, and a page whose examples run. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { inputsOf } from '../../src/plan/inputs.ts'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { readScenarios } from './scenarios.ts'

interface Cover {
  /** In test/. */
  readonly held: string
  /** A page, and what its examples say. */
  readonly page: readonly [file: string, words: RegExp]
}

/** A new kind does not compile until it is listed. */
const COVERED: Readonly<Record<PlanNode['kind'], Cover>> = {
  scan: { held: 'property/changelogs.test.ts', page: ['sql', /FROM orders/] },
  values: { held: 'naive/interpret.test.ts', page: ['sql', /VALUES/] },
  'watermark-assigner': {
    held: 'property/windows.test.ts',
    page: ['sql', /WATERMARK FOR/],
  },
  filter: { held: 'property/changelogs.test.ts', page: ['sql', /WHERE/] },
  project: { held: 'property/changelogs.test.ts', page: ['sql', /SELECT/] },
  'window-table': { held: 'property/arrival.test.ts', page: ['sql', /FROM TABLE\(SESSION/] },
  'window-aggregate': { held: 'property/windows.test.ts', page: ['sql', /HOP\(TABLE/] },
  'window-rank': {
    held: 'property/window-rank.test.ts',
    page: ['top-n', /window_start/],
  },
  'window-join': { held: 'property/time-joins.test.ts', page: ['joins', /TUMBLE/] },
  'group-aggregate': {
    held: 'property/changelogs.test.ts',
    page: ['sql', /GROUP BY/],
  },
  'over-aggregate': { held: 'property/over.test.ts', page: ['over', /OVER/] },
  rank: { held: 'property/rank.test.ts', page: ['top-n', /ROW_NUMBER/] },
  deduplicate: {
    held: 'property/deduplicate.test.ts',
    page: ['deduplication', /ROW_NUMBER/],
  },
  join: { held: 'property/joins.test.ts', page: ['joins', /JOIN/] },
  'interval-join': { held: 'property/time-joins.test.ts', page: ['joins', /BETWEEN/] },
  'temporal-join': {
    held: 'property/time-joins.test.ts',
    page: ['joins', /SYSTEM_TIME/],
  },
  correlate: { held: 'engine/unnest.test.ts', page: ['joins', /UNNEST/] },
  process: { held: 'golden/golden.test.ts', page: ['functions', /TABLE /] },
  'async-call': {
    held: 'property/async-functions.test.ts',
    page: ['functions', /CREATE FUNCTION/],
  },
  expand: { held: 'property/changelogs.test.ts', page: ['sql', /ROLLUP/] },
  'match-recognize': {
    held: 'property/match.test.ts',
    page: ['patterns', /MATCH_RECOGNIZE/],
  },
  'changelog-normalize': {
    held: 'property/deduplicate.test.ts',
    page: ['kafka', /upsert-kafka/],
  },
  'union-all': { held: 'property/changelogs.test.ts', page: ['sql', /UNION ALL/] },
  'temporal-sort': {
    held: 'property/temporal-sort.test.ts',
    page: ['over', /ORDER BY/],
  },
  sort: { held: 'property/changelogs.test.ts', page: ['sql', /ORDER BY/] },
}

/** Golden queries have an end: ORDER BY sorts all of their rows. */
const NEVER_GOLDEN: readonly string[] = ['temporal-sort']

const stand = new Set<string>(NEVER_GOLDEN)
for (const { pipeline } of await readScenarios()) {
  const visit = (node: PlanNode): void => {
    stand.add(node.kind)
    for (const input of inputsOf(node)) visit(input)
  }
  visit(pipeline.sinks[0]!.input)
}

for (const [kind, { held, page }] of Object.entries(COVERED)) {
  test(`${kind} stands in a golden program, in test/${held} and in docs/${page[0]}.md`, () => {
    assert.ok(stand.has(kind), 'no golden program')
    assert.ok(existsSync(`test/${held}`))
    const text = readFileSync(`docs/${page[0]}.md`, 'utf8')
    const examples = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql)
    assert.match(examples.join('\n'), page[1])
  })
}
