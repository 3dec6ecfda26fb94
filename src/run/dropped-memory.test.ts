import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../data/memory.ts'
import { dropMemory } from './dropped-memory.ts'

const BYTES = 300 << 20
const PAGE_BYTES = 4096

test('what linear memories held is free again when they are dropped', async () => {
  const before = process.memoryUsage.rss()
  for (let round = 0; round < 5; round++) {
    fillAndDrop()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.ok(process.memoryUsage.rss() - before < 3 * BYTES)
})

function fillAndDrop(): void {
  const memory = new LinearMemory()
  const block = memory.allocate(BYTES)
  for (let at = block; at < block + BYTES; at += PAGE_BYTES) memory.u8[at] = 1
  dropMemory(memory)
}
