import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory, type Pointer } from '../data/memory.ts'
import { selectKernel } from './select.ts'

const memory = new LinearMemory()
const kernel = selectKernel(memory)
const ROWS = 37

function cells(value: (row: number) => bigint): Pointer {
  const pointer = memory.allocate(8 * ROWS)
  for (let row = 0; row < ROWS; row++) memory.i64[pointer / 8 + row] = value(row)
  return pointer
}
function rowsAt(pointer: Pointer, count: number): number[] {
  return Array.from(memory.u32.subarray(pointer / 4, pointer / 4 + count))
}
function selectionOf(rows: readonly number[]): Pointer {
  const pointer = memory.allocate(4 * rows.length)
  rows.forEach((row, at) => {
    memory.u32[pointer / 4 + at] = row
  })
  return pointer
}
const all = Array.from({ length: ROWS }, (_, row) => row)
const out = memory.allocate(4 * (ROWS + 1))

test('a comparison with a constant or a column gives the same rows, whole or under a selection, with and without NULLs', () => {
  const values = cells((row) => BigInt((row * 7) % 11) - 5n)
  const column = cells(() => 2n)
  const validity = memory.allocate(64)
  memory.u8.fill(0b10110111, validity, validity + 16)
  const valid = (row: number) => ((0b10110111 >> (row & 7)) & 1) === 1
  const some = all.filter((row) => row % 3 !== 0)
  const holds = {
    equalI64: (value: bigint) => value === 2n,
    notEqualI64: (value: bigint) => value !== 2n,
    lessI64: (value: bigint) => value < 2n,
    lessOrEqualI64: (value: bigint) => value <= 2n,
  }
  for (const [name, test] of Object.entries(holds)) {
    for (const stride of [0, 8]) {
      for (const nulls of [0, validity]) {
        for (const rows of [undefined, some]) {
          const selection = rows === undefined ? 0 : selectionOf(rows)
          const compare = kernel[name as keyof typeof holds]
          const count = compare(
            values,
            8,
            nulls,
            column,
            stride,
            0,
            selection,
            (rows ?? all).length,
            out,
          )
          const expected = (rows ?? all).filter(
            (row) => test(memory.i64[values / 8 + row]!) && (nulls === 0 || valid(row)),
          )
          assert.deepEqual(rowsAt(out, count), expected)
        }
      }
    }
  }
})

test('a complement and a union give a selection back', () => {
  const odd = all.filter((row) => row % 2 === 1)
  const count = kernel.complement(0, ROWS, selectionOf(odd), odd.length, out)
  const even = rowsAt(out, count)
  assert.deepEqual(
    even,
    all.filter((row) => row % 2 === 0),
  )
  const joined = memory.allocate(4 * (ROWS + 1))
  kernel.union(selectionOf(odd), odd.length, selectionOf(even), even.length, joined)
  assert.deepEqual(rowsAt(joined, ROWS), all)
})

test('byte strings are equal by content and length, at every length', () => {
  const text = memory.allocate(256)
  const other = memory.allocate(256)
  for (let at = 0; at < 200; at++) memory.u8[text + at] = memory.u8[other + at] = at
  for (let length = 0; length < 40; length++) {
    const [a, b] = [memory.allocate(8), memory.allocate(8)]
    memory.i64[a / 8] = BigInt(text) | (BigInt(length) << 32n)
    memory.i64[b / 8] = BigInt(other) | (BigInt(length) << 32n)
    assert.equal(kernel.bytesEqual(a, 8, 0, b, 0, 0, 0, 1, 1, out), 1)
    if (length === 0) continue
    memory.u8[other + length - 1]! ^= 0x80
    assert.equal(kernel.bytesEqual(a, 8, 0, b, 0, 0, 0, 1, 1, out), 0)
    assert.equal(kernel.bytesEqual(a, 8, 0, b, 0, 0, 0, 1, 0, out), 1)
    memory.u8[other + length - 1]! ^= 0x80
  }
})
