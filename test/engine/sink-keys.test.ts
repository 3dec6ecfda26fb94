/** A sink whose key is not that of the changes has, after any restart, the last row left of each of its keys. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import { type FedRow, runWay, scripted, type Way } from '../builders/engine-run.ts'

const SCRIPT = `
  CREATE TABLE people (id INT, city STRING) WITH ('connector' = 'scripted', 'changelog' = 'true');
  CREATE TABLE cities (city STRING PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector' = 'scripted');
  INSERT INTO cities SELECT MAX(city), COUNT(*) FROM people GROUP BY id;
`
const person = (kind: FedRow['kind'], id: bigint, city: string): FedRow => ({
  kind,
  row: { id, city },
})
const ROWS: readonly FedRow[] = [
  person('+I', 1n, 'oslo'),
  person('+I', 2n, 'oslo'),
  person('+I', 2n, 'oslo'),
  person('+I', 3n, 'bergen'),
  person('-D', 2n, 'oslo'),
  person('-D', 2n, 'oslo'),
  person('-D', 3n, 'bergen'),
]

async function tableOf(way: Way): Promise<Record<string, bigint>> {
  const { pipeline, errors } = bindText(SCRIPT, 'p', [scripted(new Map(), [], [])])
  assert.deepEqual(errors.map(String), [])
  const { input, table, materializes } = pipeline!.sinks[0]!
  assert.equal(materializes, true)
  const ran = await runWay(input, new Map([['people', [ROWS]]]), {
    ...way,
    sink: { table, materializes },
  })
  const rows = new Map<string, bigint>()
  for (const { kind, row } of ran.changes) {
    const [city, n] = row as [string, bigint]
    if (kind === '-D') rows.delete(city)
    else rows.set(city, n)
  }
  return Object.fromEntries(rows)
}

for (const [name, way] of Object.entries({
  'all at once': {},
  'row by row': { rowsMax: 1 },
  'restarted after each row': { rowsMax: 1, restartAfter: ROWS.map(() => 1) },
  'restarted twice': { rowsMax: 2, restartAfter: [1, 2] },
})) {
  test(`one who stays keeps the city that another leaves, ${name}`, async () => {
    assert.deepEqual(await tableOf(way), { oslo: 1n })
  })
}
