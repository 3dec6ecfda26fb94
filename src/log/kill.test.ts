/** A process that appends is killed by the system, again and again, in the middle of its work. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { LinearMemory } from '../data/memory.ts'
import { nodePorts } from '../ports/node/ports.ts'
import { inspectPartition, verifyTopic } from './inspect.ts'
import { openReader } from './reader.ts'

const KILLS = Number(process.env.MILLRACE_KILLS ?? 5)
const PRODUCER = new URL('../../test/simulate/log-producer.ts', import.meta.url).pathname

test(`after each of ${KILLS} SIGKILLs every acknowledged record is there once, in order`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const ports = nodePorts()
  const settings = JSON.stringify({ 'segment.bytes': '20000', 'compression.type': 'zstd' })
  let acknowledged = -1
  for (let kill = 0; kill < KILLS; kill++) {
    acknowledged = Math.max(acknowledged, await killAfter(directory, settings, 20 + 30 * kill))
    const sequences = inspectPartition(ports, directory, 't', 0, { withRecords: true }).flatMap(
      (batch) =>
        batch.records!.map(({ value }) => Number.parseInt(new TextDecoder().decode(value!), 10)),
    )
    assert.deepEqual(
      sequences,
      Array.from(sequences, (_, index) => index),
    )
    assert.ok(sequences.length > acknowledged, `${sequences.length} records, ${acknowledged} acked`)
    assert.deepEqual(verifyTopic(ports, directory, 't')[0]!.damages, [])
  }
  rmSync(directory, { recursive: true })
})

test('a reader in another process sees whole records in order while they are appended', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-tail-'))
  const ports = nodePorts()
  const settings = JSON.stringify({ 'segment.bytes': '20000' })
  await killAfter(directory, settings, 1)
  const memory = new LinearMemory()
  const at = { topic: 't', partition: 0, startOffset: 0 }
  const reader = openReader({ ports, dataDirectory: directory, memory, ...at })
  let next = 0
  const watching = new AbortController()
  const watch = (async () => {
    while (!watching.signal.aborted) {
      const mark = memory.arena.mark()
      const read = reader.poll({ recordsMax: 100 })
      for (let row = 0; row < (read?.count ?? 0); row++) {
        const words = (read!.values >> 2) + 2 * row
        const start = memory.u32[words]!
        const value = memory.u8.slice(start, start + memory.u32[words + 1]!)
        assert.equal(read!.offsetOf(row), next)
        assert.equal(Number.parseInt(new TextDecoder().decode(value), 10), next++)
      }
      memory.arena.release(mark)
      if (read === undefined) await ports.clock.sleep(1)
    }
  })()
  const acknowledged = await killAfter(directory, settings, 300)
  await ports.clock.sleep(20)
  watching.abort()
  await watch
  assert.ok(next > acknowledged, `${next} records read, ${acknowledged} acknowledged`)
  reader.close()
  rmSync(directory, { recursive: true })
})

/** Kills the producer once it has acknowledged `count` records; the last that it acknowledged. */
async function killAfter(directory: string, settings: string, count: number): Promise<number> {
  const child = spawn(process.execPath, [PRODUCER, directory, settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last = -1
  let seen = 0
  let pending = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (pending + chunk.toString()).split('\n')
    pending = lines.pop()!
    for (const line of lines) last = Math.max(last, Number(line))
    seen += lines.length
    if (seen >= count) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return last
}
