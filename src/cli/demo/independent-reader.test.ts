import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { Plain } from '../../../test/builders/batch.ts'
import { writeTable } from '../../../test/builders/delta.ts'
import { type Schema, types } from '../../data/types.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { readDeltaIndependently } from './independent-reader.ts'

test('the independent reader sees every row of a partitioned table past a checkpoint', async () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-reader-'))
  const schema: Schema = [
    { name: 'id', type: types.bigint },
    { name: 'shop', type: types.string },
    { name: 'at', type: types.timestampLtz(3) },
    { name: 'day', type: types.int },
  ]
  try {
    const setup = {
      ports: nodePorts(),
      path: join(root, 't'),
      schema,
      partitionedBy: ['day'],
      options: { 'checkpoint-interval': '3' },
    }
    const commits = Array.from({ length: 7 }, (_, commit) =>
      Array.from({ length: 5 }, (_, at): Plain[] => [
        BigInt(commit * 5 + at),
        at === 0 ? null : `shop ${at}`,
        BigInt(commit) * 1_000_000n,
        at % 2 === 0 ? null : BigInt(at),
      ]),
    )
    await writeTable(setup, ...commits)
    const seen = []
    for await (const row of readDeltaIndependently(setup.path)) seen.push(row)
    seen.sort((a, b) => Number(a.id) - Number(b.id))
    const expected = commits.flat().map(([id, shop, at, day]) => ({
      id,
      shop,
      at: new Date(Number(at) / 1000),
      day: day === null ? null : Number(day),
    }))
    assert.deepEqual(seen, expected)
  } finally {
    rmSync(root, { recursive: true })
  }
})
