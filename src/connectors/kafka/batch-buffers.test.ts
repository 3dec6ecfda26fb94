import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchBuffers } from './batch-buffers.ts'

const KIB = 1024

test('a buffer that was given back is given again, for any batch of its size class', () => {
  const buffers = batchBuffers(1024 * KIB)
  const first = buffers.take(100 * KIB)
  assert.equal(first.length, 100 * KIB)
  buffers.giveBack(first)
  const second = buffers.take(120 * KIB)
  assert.equal(second.length, 120 * KIB)
  assert.equal(second.buffer, first.buffer)
})

test('no two batches that are under way share a buffer', () => {
  const buffers = batchBuffers(1024 * KIB)
  const first = buffers.take(100 * KIB)
  buffers.giveBack(first)
  const taken = [first.length, 90 * KIB, 80 * KIB].map((bytes) => buffers.take(bytes).buffer)
  assert.equal(new Set(taken).size, taken.length)
})

test('no more is kept than was asked for', () => {
  const buffers = batchBuffers(256 * KIB)
  const given = Array.from({ length: 4 }, () => buffers.take(128 * KIB))
  for (const each of given) buffers.giveBack(each)
  const again = Array.from({ length: 4 }, () => buffers.take(128 * KIB))
  const own = new Set(given.map(({ buffer }) => buffer))
  assert.equal(again.filter(({ buffer }) => own.has(buffer)).length, 2)
})
