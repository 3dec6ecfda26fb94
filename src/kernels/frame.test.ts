import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { writeVarint } from '../codec/varint.ts'
import { LinearMemory } from '../data/memory.ts'
import { createFrameKernel, type RecordCells } from './frame.ts'

const memory = new LinearMemory()
const kernel = createFrameKernel(memory)

interface Plain {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timeMs: bigint
  readonly headers: readonly (readonly [string, Uint8Array | null])[]
}

/** Written from Kafka's documentation, byte by byte. */
function wireOf(records: readonly Plain[], baseMs: bigint): Uint8Array {
  const all: number[] = []
  records.forEach((record, index) => {
    const out: number[] = [0]
    const bytes = (value: Uint8Array | null) => {
      writeVarint(BigInt(value === null ? -1 : value.length), out)
      if (value !== null) out.push(...value)
    }
    writeVarint(record.timeMs - baseMs, out)
    writeVarint(BigInt(index), out)
    bytes(record.key)
    bytes(record.value)
    writeVarint(BigInt(record.headers.length), out)
    for (const [name, value] of record.headers) {
      bytes(new TextEncoder().encode(name))
      bytes(value)
    }
    writeVarint(BigInt(out.length), all)
    all.push(...out)
  })
  return Uint8Array.from(all)
}

function place(bytes: Uint8Array): number {
  const address = memory.arena.allocate(bytes.length)
  memory.u8.set(bytes, address)
  // What stands behind must never matter.
  memory.u8.fill(0x83, address + bytes.length, address + bytes.length + 32)
  return address
}

function cellsFor(count: number): RecordCells {
  const area = () => memory.arena.allocate(8 * (count + 1))
  return { values: area(), keys: area(), headers: area(), offsets: area(), timesUs: area() }
}

function bytesAt(cells: number, row: number): Uint8Array | null {
  const cell = memory.i64[(cells >> 3) + row]!
  if (cell === 0n) return null
  const address = Number(cell & 0xffffffffn)
  return memory.u8.slice(address, address + Number(cell >> 32n))
}

const bytes = fc.oneof(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ maxLength: 300 }))
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  timeMs: fc.oneof(
    fc.bigInt({ min: 0n, max: 1000n }),
    fc.bigInt({ min: -(1n << 52n), max: 1n << 52n }),
  ),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 5 }), fc.option(bytes)), { maxLength: 2 }),
})
const records = fc.array(record, { maxLength: 12 })

test('records are decoded to the cells they were written from', () => {
  fc.assert(
    fc.property(records, (plain) => {
      const mark = memory.arena.mark()
      const wire = wireOf(plain, 500n)
      const area = {
        address: place(wire),
        bytes: wire.length,
        recordCount: plain.length,
        baseOffset: 1n << 40n,
        baseTimestampMs: 500n,
        logAppendTime: false,
      }
      const cells = cellsFor(plain.length)
      const decoded = kernel.decode(area, cells, 1)
      assert.deepEqual(decoded, {
        kind: 'decoded',
        nullValues: plain.filter(({ value }) => value === null).length,
        nullKeys: plain.filter(({ key }) => key === null).length,
      })
      const validity = kernel.validityOf(cells.values + 8, plain.length)
      plain.forEach((each, index) => {
        assert.deepEqual(bytesAt(cells.values, index + 1), each.value)
        assert.deepEqual(bytesAt(cells.keys, index + 1), each.key)
        assert.equal(memory.i64[(cells.timesUs >> 3) + index + 1], each.timeMs * 1000n)
        assert.equal(memory.i64[(cells.offsets >> 3) + index + 1], (1n << 40n) + BigInt(index))
        assert.equal(bytesAt(cells.headers, index + 1) === null, each.headers.length === 0)
        const bit = (memory.u8[validity + (index >> 3)]! >> (index & 7)) & 1
        assert.equal(bit === 1, each.value !== null)
      })
      memory.arena.release(mark)
    }),
    { numRuns: 200 },
  )
})

test('encoding the decoded cells gives the same bytes', () => {
  fc.assert(
    fc.property(records, (plain) => {
      const mark = memory.arena.mark()
      const wire = wireOf(plain, 7n)
      const area = {
        address: place(wire),
        bytes: wire.length,
        recordCount: plain.length,
        baseOffset: 0n,
        baseTimestampMs: 7n,
        logAppendTime: false,
      }
      const cells = cellsFor(plain.length)
      kernel.decode(area, cells, 0)
      const encoded = kernel.encode({
        ...cells,
        selection: 0,
        count: plain.length,
        baseTimestampMs: 7n,
        firstOffsetDelta: 0,
      })
      const written = memory.u8.slice(encoded.address, encoded.address + encoded.bytes)
      assert.deepEqual(written, wire)
      memory.arena.release(mark)
    }),
    { numRuns: 200 },
  )
})

test('cut or changed bytes are either still whole records or corrupt with a place inside, never read beyond', () => {
  const damage = fc.record({ at: fc.nat(400), byte: fc.nat(255), cut: fc.option(fc.nat(400)) })
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 6 }),
      damage,
      (plain, { at, byte, cut }) => {
        const mark = memory.arena.mark()
        const wire = wireOf(plain, 0n)
        const damaged = cut === null ? wire.slice() : wire.slice(0, cut % wire.length)
        if (damaged.length > 0) damaged[at % damaged.length] = byte
        const area = {
          address: place(damaged),
          bytes: damaged.length,
          recordCount: plain.length,
          baseOffset: 0n,
          baseTimestampMs: 0n,
          logAppendTime: false,
        }
        const cells = cellsFor(plain.length)
        const decoded = kernel.decode(area, cells, 0)
        if (decoded.kind === 'corrupt') {
          assert.ok(decoded.byteOffset >= 0 && decoded.byteOffset <= damaged.length)
          assert.notEqual(decoded.reason, 'no reason')
        } else {
          assert.equal(cut, null)
          for (const cellsOf of [cells.values, cells.keys, cells.headers])
            for (let row = 0; row < plain.length; row++) {
              const cell = memory.i64[(cellsOf >> 3) + row]!
              const from = Number(cell & 0xffffffffn)
              const to = from + Number(cell >> 32n)
              assert.ok(
                cell === 0n || (from >= area.address && to <= area.address + damaged.length),
              )
            }
        }
        memory.arena.release(mark)
      },
    ),
    { numRuns: 2000 },
  )
})

test('corrupt records are named by the byte and the reason', () => {
  const decode = (wire: number[], recordCount = 1, baseTimestampMs = 0n) =>
    kernel.decode(
      {
        address: place(Uint8Array.from(wire)),
        bytes: wire.length,
        recordCount,
        baseOffset: 0n,
        baseTimestampMs,
        logAppendTime: false,
      },
      cellsFor(recordCount),
      0,
    )
  const wrong = (byteOffset: number, reason: string) => ({ kind: 'corrupt', byteOffset, reason })
  // Length 6: attributes, time 0, offset 0, no key, no value, no headers.
  assert.equal(decode([12, 0, 0, 0, 1, 1, 0]).kind, 'decoded')
  assert.deepEqual(
    decode([12, 0, 0, 0, 1, 1, 0, 9]),
    wrong(7, 'the batch has bytes after its last record'),
  )
  assert.deepEqual(decode([12, 0, 0, 0, 1, 1, 0], 2), wrong(7, 'a varint does not end'))
  assert.deepEqual(decode([14, 0, 0, 0, 1, 1, 0]), wrong(0, 'a record reaches beyond the batch'))
  assert.deepEqual(decode([12, 0, 0, 0, 3, 1, 0]), wrong(4, 'a length is negative'))
  assert.deepEqual(decode([12, 0, 0, 0, 1, 8, 0]), wrong(5, 'a length reaches beyond its record'))
  assert.deepEqual(decode([14, 0, 0, 0, 1, 1, 0, 0]), wrong(7, 'a record has bytes left over'))
  assert.deepEqual(decode([12, 0, 0, 1, 1, 1, 0]), wrong(3, 'an offset is negative'))
  assert.deepEqual(
    decode([12, 0, 0, 0, 1, 1, 0], 1, 1n << 60n),
    wrong(2, 'a timestamp is out of range'),
  )
})

test('a batch of log append time gives every record its time', () => {
  const wire = wireOf([{ key: null, value: Uint8Array.of(1), timeMs: 5n, headers: [] }], 0n)
  const cells = cellsFor(1)
  kernel.decode(
    {
      address: place(wire),
      bytes: wire.length,
      recordCount: 1,
      baseOffset: 0n,
      baseTimestampMs: 77n,
      logAppendTime: true,
    },
    cells,
    0,
  )
  assert.equal(memory.i64[cells.timesUs >> 3], 77000n)
})
