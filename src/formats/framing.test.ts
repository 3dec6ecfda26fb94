import assert from 'node:assert/strict'
import test from 'node:test'
import { deflateSync } from 'node:zlib'
import { LinearMemory, type Pointer } from '../data/memory.ts'
import type { DeadRecord } from './format.ts'
import { framedRuns, frameHead } from './framing.ts'

function placed(memory: LinearMemory, records: readonly (Uint8Array | undefined)[]): Pointer {
  const cells = memory.arena.allocateCleared(8 * records.length)
  records.forEach((bytes, row) => {
    if (bytes === undefined) return
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(cells >>> 2) + 2 * row] = address
    memory.u32[(cells >>> 2) + 2 * row + 1] = bytes.length
  })
  return cells
}

test('rows are grouped by what wrote them, and heads that are none are dead', () => {
  const memory = new LinearMemory({ bytesMax: 16 << 20 })
  const of = (id: number) => Buffer.concat([frameHead('confluent', id), Buffer.from('x')])
  const records = [
    of(7),
    of(7),
    Uint8Array.of(1, 0, 0, 0, 7),
    of(7),
    of(2 ** 31 - 1),
    undefined,
    Uint8Array.of(0, 0),
  ]
  const dead: DeadRecord[] = []
  const runs = framedRuns(memory, placed(memory, records), records.length, 'confluent', dead)
  assert.deepEqual(runs, [
    { from: 0, to: 2, id: 7, skip: 5 },
    { from: 3, to: 4, id: 7, skip: 5 },
    { from: 4, to: 5, id: 2 ** 31 - 1, skip: 5 },
  ])
  assert.deepEqual(
    dead.map(({ row }) => row),
    [2, 5, 6],
  )
})

test("Glue's records are unpacked once, and packed rubbish is dead", () => {
  const memory = new LinearMemory({ bytesMax: 16 << 20 })
  const id = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63'
  const plain = Buffer.concat([frameHead('glue', id), Buffer.from('hello')])
  const head = frameHead('glue', id)
  head[1] = 5
  const packed = Buffer.concat([head, deflateSync(Buffer.from('hello'))])
  const rubbish = Buffer.concat([head, Buffer.from('zzz')])
  const values = placed(memory, [plain, packed, rubbish])
  const textAt = (row: number) => {
    const words = (values >>> 2) + 2 * row
    const from = memory.u32[words]!
    return Buffer.from(memory.u8.slice(from + 18, from + memory.u32[words + 1]!)).toString()
  }
  for (const _ of [1, 2]) {
    const dead: DeadRecord[] = []
    const runs = framedRuns(memory, values, 3, 'glue', dead)
    assert.deepEqual(runs, [{ from: 0, to: 2, id, skip: 18 }])
    assert.deepEqual(dead, [{ row: 2, reason: 'the record does not unpack' }])
    assert.deepEqual([textAt(0), textAt(1)], ['hello', 'hello'])
  }
})

test('a record that unpacks to very much is dead, and takes none of the memory', () => {
  const memory = new LinearMemory({ bytesMax: 16 << 20 })
  const id = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63'
  const head = frameHead('glue', id)
  head[1] = 5
  const bomb = Buffer.concat([head, deflateSync(Buffer.alloc((64 << 20) + 1))])
  const plain = Buffer.concat([frameHead('glue', id), Buffer.from('hello')])
  const values = placed(memory, [bomb, plain])
  const dead: DeadRecord[] = []
  assert.deepEqual(framedRuns(memory, values, 2, 'glue', dead), [{ from: 1, to: 2, id, skip: 18 }])
  assert.match(dead[0]!.reason, /unpacks to more than/)
})
