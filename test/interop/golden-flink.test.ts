/**
 * The golden scenarios' answers are Flink's: changelogs row for row where rows come one by one, tables where windows fire many at once.
 *
 *   node scripts/test.ts test/interop/golden-flink        needs Java 17, Maven, pip; Flink is fetched into .cache/
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { startFlink, stopFlink } from '../../scripts/engines/flink.ts'
import {
  type FlinkRow,
  type FlinkSession,
  openFlinkSession,
} from '../../scripts/engines/flink-sql.ts'
import type { GivenRow } from '../../src/testing/given-rows.ts'
import type { Scenario } from '../../src/testing/golden/scenario.ts'
import { nameOf, readScenarios } from '../golden/scenarios.ts'

/** Where Flink's answer is another one, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'tumble offset':
    'Flink 2.2.1 gathers rows up to multiples of the size whatever the offset is, and drops those of windows that end between',
  'over rank':
    'RANK of rows that tie is the last of their numbers in Flink 2.2.1, and DENSE_RANK has gaps',
  'over rank by value': 'the same',
  'match all rows':
    'Flink has neither ALL ROWS PER MATCH nor PREV and NEXT: Trino judges them, in trino.test.ts',
  'match unmatched rows': 'the same',
  'changelog normalize': 'no format of files gives Flink a table that is updated by key',
  'join lookup': 'Flink has no such connector: it asks services of no kind',
  'hop distinct filters': 'Flink 2.2.1 fails on SUM(DISTINCT) over panes',
  'late corrects a count of windows': 'Flink corrects only windows in the words of old',
  'late corrects cumulate': 'the same',
  'late corrects retracted': 'the same',
  'lateral top n': 'Flink 2.2.1 has no plan for a LATERAL with LIMIT that is no top-N of its own',
  'try cast': 'a failing CAST ends a job of Flink; here the row goes to dead',
}
/** Flink corrects windows only where it is told this too. */
const LATE_FIRE = [
  "'table.exec.emit.late-fire.enabled' = 'true'",
  "'table.exec.emit.late-fire.delay' = '0 s'",
]
const KINDS = { INSERT: '+I', UPDATE_BEFORE: '-U', UPDATE_AFTER: '+U', DELETE: '-D' } as const

let directory: string
let flink: FlinkSession

before(
  async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-golden-'))
    await startFlink()
    flink = await openFlinkSession({
      'execution.runtime-mode': 'streaming',
      'parallelism.default': '1',
      'pipeline.auto-watermark-interval': '0 ms',
      'table.local-time-zone': 'UTC',
    })
  },
  { timeout: 600_000 },
)
after(async () => {
  await flink?.close()
  await stopFlink()
  rmSync(directory, { recursive: true, force: true })
})

for (const scenario of await readScenarios()) {
  const name = nameOf(scenario)
  const plan = scenario.pipeline.sinks[0]!.input
  // Functions of users are in TypeScript here, in Java there.
  if (name in DIFFERENT || scenario.functions.length > 0) continue
  test(`${name}: as Flink`, { timeout: 120_000 }, async () => {
    const rows = await askFlink(scenario)
    // Two tables are read in an order of Flink's own, as sessions are that close at once.
    const isByRow =
      plan.kind !== 'sort' &&
      !/window-aggregate|union-all|join"|"kind":"session"/.test(JSON.stringify(plan))
    if (isByRow) {
      assert.deepEqual(
        rows.map(({ kind, fields }) => `${KINDS[kind]} ${told(fields)}`),
        scenario.answers.changes.map(bare),
      )
    }
    assert.deepEqual(folded(rows), scenario.answers.table.map(bare).sort())
  })
}

async function askFlink(scenario: Scenario): Promise<readonly FlinkRow[]> {
  const { creates, views, asked, fed } = scenario
  const isCorrected = scenario.sets.some((setting) => setting.includes('allow-lateness'))
  const sets = [...scenario.sets, ...(isCorrected ? LATE_FIRE : [])]
  assert.ok(asked.kind === 'query', 'there is no project to have pipelines')
  for (const setting of sets) await flink.execute(`SET ${setting}`)
  const made: string[] = []
  for (const create of creates) {
    const table = create.split(' ')[0]!
    const rows = fed.get(table)?.flat() ?? []
    const changes = rows.some(({ kind }) => kind !== '+I')
    const path = join(directory, `${nameOf(scenario).replaceAll(' ', '-')}-${table}.json`)
    writeFileSync(path, (changes ? debezium(rows) : rows.map(json)).join('\n'))
    await flink.execute(`DROP TEMPORARY TABLE IF EXISTS ${table}`)
    await flink.execute(`CREATE TEMPORARY TABLE ${create} WITH ('connector' = 'filesystem', 'path' = '${path}',
      'format' = '${changes ? 'debezium-json' : 'json'}')`)
    made.push(`TABLE ${table}`)
  }
  for (const view of views) {
    await flink.execute(`CREATE TEMPORARY VIEW ${view}`)
    made.push(`VIEW ${view.split(' ')[0]}`)
  }
  const rows = await flink.execute(asked.sql)
  for (const each of made.reverse()) await flink.execute(`DROP TEMPORARY ${each}`)
  for (const setting of sets) await flink.execute(`RESET ${setting.split('=')[0]}`)
  return rows
}

/** -U and the +U behind it are one record. */
function debezium(rows: readonly GivenRow[]): string[] {
  return rows.flatMap((row, index) => {
    if (row.kind === '+I') return [`{"before":null,"after":${json(row)},"op":"c"}`]
    if (row.kind === '-D') return [`{"before":${json(row)},"after":null,"op":"d"}`]
    if (row.kind === '+U') return []
    return [`{"before":${json(row)},"after":${json(rows[index + 1]!)},"op":"u"}`]
  })
}

function json({ bytes }: GivenRow): string {
  return new TextDecoder().decode(bytes)
}

function folded(rows: readonly FlinkRow[]): string[] {
  const table: string[] = []
  for (const { kind, fields } of rows) {
    if (kind === 'INSERT' || kind === 'UPDATE_AFTER') table.push(told(fields))
    else table.splice(table.indexOf(told(fields)), 1)
  }
  return table.sort()
}

function told(fields: readonly unknown[]): string {
  return fields
    .map((field) => (field === null ? 'NULL' : timeText(shortened(String(field)))))
    .join(' ')
}

/** As the scenarios write times. */
function timeText(text: string): string {
  const time = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(\.\d+)?Z?$/.exec(text)
  if (time === null) return text
  const [, minutes, seconds = ':00', fraction = ''] = time
  return `${minutes}${seconds}${fraction}`.replace(/^1970-01-01T/, '')
}

/** As a scenario's row, but without quotes, and decimals as JSON has them. */
function bare(row: string): string {
  return row.replaceAll("'", '').split(' ').map(shortened).join(' ')
}

function shortened(text: string): string {
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text
}
