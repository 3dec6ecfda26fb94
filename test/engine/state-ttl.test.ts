/** STATE_TTL lets go of groups that were not written for so long, and of none that were. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import { type FedRow, type Life, runWay, scripted } from '../builders/engine-run.ts'

const TABLE =
  "CREATE TABLE sales (shop STRING, amount INT) WITH ('connector' = 'scripted', 'changelog' = 'true');"

/** The changes of two lives with an hour between them, two rows in each. */
async function changesOf(ttl: string, rows: readonly FedRow[]): Promise<string[]> {
  const query = `SELECT /*+ STATE_TTL('sales' = '${ttl}') */ shop, COUNT(*) AS n, MAX(amount) AS m FROM sales GROUP BY shop`
  const { queries, errors } = bindText(TABLE + query, 'p', [scripted(new Map(), [], [])])
  assert.deepEqual(errors, [])
  const life = (until: number): Life => ({
    rows: new Map([['sales/0', until]]),
    enough: () => false,
  })
  const ran = await runWay(queries[0]!, new Map([['sales', [rows]]]), {
    rowsMax: 1,
    lives: [life(2), life(rows.length)],
  })
  return ran.changes.map(({ kind, row }) => `${kind} ${row.join(' ')}`)
}

const row = (kind: FedRow['kind'], shop: string, amount: bigint): FedRow => ({
  kind,
  row: { shop, amount },
})

test('a group begins anew when its time is over', async () => {
  const rows = [row('+I', 'oslo', 3n), row('+I', 'oslo', 7n), row('+I', 'oslo', 1n)]
  assert.deepEqual(await changesOf('10 min', rows), [
    '+I oslo 1 3',
    '-U oslo 1 3',
    '+U oslo 2 7',
    '+I oslo 1 1',
  ])
})

test('a group that is younger goes on', async () => {
  const rows = [row('+I', 'oslo', 3n), row('+I', 'bergen', 7n), row('+I', 'oslo', 1n)]
  assert.deepEqual(await changesOf('2 h', rows), [
    '+I oslo 1 3',
    '+I bergen 1 7',
    '-U oslo 1 3',
    '+U oslo 2 3',
  ])
})

test('what takes back a row of a group that is gone is passed over', async () => {
  const rows = [row('+I', 'oslo', 3n), row('+I', 'bergen', 7n), row('-D', 'oslo', 3n)]
  assert.deepEqual(await changesOf('10 min', rows), ['+I oslo 1 3', '+I bergen 1 7'])
})
