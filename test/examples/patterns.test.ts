import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

/** The examples of the page, in order. */
const EXAMPLES = [
  ...readFileSync('docs/patterns.md', 'utf8').matchAll(/```sql\n([\s\S]*?)```/g),
].map(([, sql]) => sql!)

async function told(sql: string, file: string, lines: readonly string[]): Promise<unknown> {
  const end = sql.indexOf(';')
  const rows: unknown[] = []
  await inDirectory(async (directory) => {
    writeFileSync(join(directory, file), lines.join('\n'))
    const tables = sql.slice(0, end)
    await using db = await open({ data: join(directory, 'data'), directory, tables })
    rows.push(...(await db.query(sql.slice(end + 1)).rows()))
  })
  return JSON.parse(
    JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? Number(value) : value)),
  )
}

test('the example in docs/patterns.md finds the card that was tried three times', async () => {
  const payment = (card: string, cents: number, accepted: boolean, second: number) =>
    JSON.stringify({ card, cents, accepted, paid_at: `2026-01-31 12:00:${second}` })
  const lines = [
    payment('a', 900, false, 10),
    payment('b', 100, true, 11),
    payment('a', 800, false, 14),
    payment('a', 700, false, 13),
    payment('b', 100, false, 15),
    payment('a', 950, true, 20),
    payment('b', 100, true, 30),
  ]
  assert.deepEqual(await told(EXAMPLES[0]!, 'payments.jsonl', lines), [
    { card: 'a', tried_at: '2026-01-31 12:00:10.000', refused: 3, paid: 950 },
  ])
})

test('the meter in docs/patterns.md has one dip, told row by row', async () => {
  const volts = [230, 220, 212, 229]
  const lines = volts.map((each, index) =>
    JSON.stringify({ meter: 'a', volts: each, t: `2026-01-31 12:00:0${index + 1}` }),
  )
  const row = (index: number, dip: number | null, part: string | null, step: number | null) => ({
    meter: 'a',
    t: `2026-01-31 12:00:0${index + 1}.000`,
    dip,
    part,
    step,
    lowest: dip === null ? null : 212,
    volts: volts[index],
  })
  assert.deepEqual(await told(EXAMPLES[1]!, 'meters.jsonl', lines), [
    row(0, null, null, null),
    row(1, 1, 'DOWN', -10),
    row(2, 1, 'DOWN', -8),
    row(3, 1, 'UP', 17),
  ])
})
