/** A process that appends is killed by the system, again and again, in the middle of its work. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodePorts } from '../ports/node/ports.ts'
import { inspectPartition, verifyTopic } from './inspect.ts'

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
