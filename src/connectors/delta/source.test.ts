import assert from 'node:assert/strict'
import test from 'node:test'
import { type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { readTable, type TableSetup, writeTable } from '../../../test/builders/delta.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { simulatedPorts } from '../../testing/ports.ts'
import type { Source } from '../contract/source.ts'
import { openDeltaSource } from './source.ts'

const schema: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'city', type: types.string },
]
const path = '/lake/t'
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, at): Plain[] => [
    BigInt(start + at),
    `c${(start + at) % 3}`,
  ])

test('a scan that goes on from a position reads what was there, whatever was committed since', async () => {
  for (const stopAfter of [0, 1, 2, 5, 9]) {
    const setup: TableSetup = { ports: simulatedPorts(1), path, schema }
    await writeTable(setup, ...[0, 1, 2, 3, 4, 5].map((n) => range(n * 10, n * 10 + 10)))
    const first = await openSource(setup)
    const rows: Plain[][] = []
    const positions = new Map<string, string>()
    for (const split of await first.splits()) {
      rows.push(...(await readSplit(first, split, undefined, stopAfter, positions)))
    }
    await writeTable({ ...setup, pipeline: 'later' }, range(1000, 1010))
    const second = await openSource({ ...setup, options: { versionAsOf: '6' } })
    for (const split of await second.splits()) {
      rows.push(...(await readSplit(second, split, positions.get(split), Infinity, positions)))
    }
    const ids = rows.map(([id]) => Number(id)).sort((a, b) => a - b)
    assert.deepEqual(
      ids,
      Array.from({ length: 60 }, (_, id) => id),
    )
  }
})

test('a position names its version: a newer table does not change what it reads', async () => {
  const setup: TableSetup = { ports: simulatedPorts(1), path, schema }
  await writeTable(setup, range(0, 10))
  const old = await openSource(setup)
  const ends = new Map<string, string>()
  for (const split of await old.splits()) ends.set(split, await old.endPosition(split))
  await writeTable({ ...setup, pipeline: 'later' }, range(10, 20))
  const young = await openSource(setup)
  for (const split of await young.splits()) {
    assert.deepEqual(await readSplit(young, split, ends.get(split), Infinity, new Map()), [])
  }
})

test('partition columns come from the log, alone and in any order', async () => {
  const setup: TableSetup = { ports: simulatedPorts(1), path, schema, partitionedBy: ['city'] }
  await writeTable(setup, [...range(0, 9), [9n, null]])
  const only = await readTable({ ...setup, schema: [schema[1]!] })
  assert.deepEqual(
    only.map(String).sort(),
    ['', ...range(0, 9).map(([, city]) => String(city))].sort(),
  )
  const turned = await readTable({ ...setup, schema: [schema[1]!, schema[0]!] })
  assert.deepEqual(
    turned.map(([city, id]) => `${id} ${city}`).sort(),
    [...range(0, 9), [9n, null]].map(([id, city]) => `${id} ${city}`).sort(),
  )
})

test('columns that the table has not, or has in another type, are refused by name', async () => {
  const setup: TableSetup = { ports: simulatedPorts(1), path, schema }
  await writeTable(setup, range(0, 1))
  const wrong: Schema = [
    { name: 'id', type: types.int },
    { name: 'shop', type: types.string },
  ]
  await assert.rejects(openSource({ ...setup, schema: wrong }), (error) => {
    assert.ok(error instanceof MillraceError && error.code === 'DELTA_SCHEMA_MISMATCH')
    assert.match(error.message, /'id' is integer here and long in the table/)
    assert.match(error.message, /'shop' is not in the table/)
    return true
  })
})

test('a data file that the log names but is gone is told by its name', async () => {
  const ports = simulatedPorts(1)
  const setup: TableSetup = { ports, path, schema }
  await writeTable(setup, range(0, 5))
  const file = ports.files.list(path).find((name) => name.endsWith('.parquet'))!
  ports.files.remove(`${path}/${file}`)
  await assert.rejects(
    readTable(setup),
    (error) =>
      error instanceof MillraceError &&
      error.code === 'DELTA_LOG_CORRUPT' &&
      error.message.includes(file),
  )
})

function openSource(setup: TableSetup): Promise<Source> {
  return openDeltaSource({
    table: 'source',
    options: { 'table-path': setup.path, ...setup.options },
    schema: setup.schema,
    metadataKeys: setup.schema.map(() => undefined),
    physical: setup.schema,
    ports: setup.ports,
    baseDirectory: '/',
    dataDirectory: '/',
  })
}

/** Three rows a poll, at most `polls` of them; where it stopped is put into `positions`. */
async function readSplit(
  source: Source,
  split: string,
  start: string | undefined,
  polls: number,
  positions: Map<string, string>,
): Promise<Plain[][]> {
  const memory = new LinearMemory()
  const reader = await source.open(split, start, memory)
  const rows: Plain[][] = []
  for (let poll = 0; poll < polls; poll++) {
    const polled = await reader.poll({ rowsMax: 3, waitMs: 0 })
    if (typeof polled === 'string' || polled === undefined) break
    assert.ok(polled.batch.count > 0 && polled.batch.count <= 3)
    rows.push(...rowsOf(memory, polled.batch))
    positions.set(split, polled.next)
  }
  await reader.close()
  return rows
}
