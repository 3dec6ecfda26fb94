import assert from 'node:assert/strict'
import test from 'node:test'
import { rowsOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { Position, SourceRequest } from '../contract/source.ts'
import { datagen } from './datagen.ts'

const schema: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'shop', type: types.string },
  { name: 'amount', type: types.decimal(10, 2) },
  { name: 'at', type: types.timestampLtz(3) },
]

function request(options: Record<string, string>, nowMs = 1_000_000): SourceRequest {
  const ports = nodePorts()
  return {
    table: 't',
    options,
    schema,
    physical: schema,
    metadataKeys: [],
    ports: { ...ports, clock: { ...ports.clock, nowMs: () => nowMs } },
    baseDirectory: '.',
    dataDirectory: '.',
  }
}

async function read(options: Record<string, string>, start?: Position, rowsMax = 100) {
  const source = await datagen.source!.open(request(options))
  const memory = new LinearMemory()
  const reader = await source.open('0', start, memory)
  const rows = []
  const positions = []
  for (;;) {
    const polled = await reader.poll({ rowsMax, waitMs: 0 })
    if (polled === undefined || typeof polled === 'string') break
    rows.push(...rowsOf(memory, polled.batch))
    positions.push(polled.next)
  }
  return { rows, positions }
}

const options = {
  'rows-per-second': '10',
  'fields.id.kind': 'sequence',
  'fields.id.start': '1',
  'fields.id.end': '30',
  'fields.shop.length': '2',
  'fields.amount.min': '1',
  'fields.amount.max': '9',
}

test('a sequence ends the table, random values keep to their bounds, times follow the rate', async () => {
  const { rows } = await read(options, '0@0')
  assert.deepEqual(
    rows.map(([id]) => id),
    Array.from({ length: 30 }, (_, index) => BigInt(index + 1)),
  )
  assert.ok(rows.every(([, shop]) => /^[0-9a-f]{2}$/.test(String(shop))))
  assert.ok(rows.every(([, , amount]) => Number(amount) >= 1 && Number(amount) <= 9))
  assert.deepEqual(
    rows.slice(0, 3).map(([, , , at]) => at),
    [0n, 100_000n, 200_000n],
  )
})

test('reading again from any position gives the rows that followed it', async () => {
  const whole = await read(options, '0@0', 7)
  const again = await read(options, whole.positions[1], 7)
  assert.deepEqual(again.rows, whole.rows.slice(14))
})

test('no more rows come than the rate allows', async () => {
  const { rows } = await read({ ...options, 'fields.id.end': '1000000' }, '0@999000')
  assert.equal(rows.length, 10)
})

test('an option that does not fit its column is refused by name', async () => {
  await assert.rejects(
    read({ ...options, 'fields.amount.min': 'many' }, '0@0'),
    (error) =>
      error instanceof MillraceError &&
      error.code === 'OPTION_INVALID' &&
      error.message.includes('fields.amount.min'),
  )
})
