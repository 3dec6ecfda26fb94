/** Whole pipelines on real threads and files: several workers write a Delta table, set rows aside, save, stop, and are killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { readDeltaIndependently } from '../../src/cli/demo/independent-reader.ts'
import { inspectPartition } from '../../src/log/inspect.ts'
import { openLog } from '../../src/log/log.ts'
import { fencePorts } from '../../src/ports/fenced-files.ts'
import { ownershipSince } from '../../src/ports/node/ownership.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { PipelineStart, RunHandle } from '../../src/run/handle.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { clickSql, clickText, type Found, holdAllOnce } from '../simulate/clicks.ts'

const EVENTS = 600
const PARTITIONS = 4
const PROGRAM = new URL('../simulate/click-pipeline.ts', import.meta.url).pathname
const ports = nodePorts()

for (const workers of [2, 4]) {
  test(`${workers} threads write a Delta table and set late and dead rows aside, over a savepoint and another number of them`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-threads-'))
    await produce(directory, 0, EVENTS / 2)
    const run = await start(directory, { workers })
    await caughtUp(run, EVENTS / 2)
    await run.savepoint(join(directory, 'saved'))
    assert.deepEqual(await run.stop(), { kind: 'finished', because: 'stopped' })
    await produce(directory, EVENTS / 2, EVENTS)
    // Taken up by as many as half, which changes who has which key.
    const fromSavepoint = join(directory, 'saved')
    const last = await start(directory, { workers: workers / 2, fromSavepoint, until: 'end' })
    assert.deepEqual(await last.finished, { kind: 'finished', because: 'end' })
    const { conservation } = last.status()
    assert.equal(conservation.read, conservation.used + conservation.dead)
    await checkAll(directory, `${workers} threads`)
    rmSync(directory, { recursive: true })
  })
}

test('a process that is killed within a worker, again and again, leaves what the next one completes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-threads-'))
  await produce(directory, 0, EVENTS)
  // All but the last are passed by workers' threads alone.
  const kills = ['log.pin.rename:1', 'delta-prepare-after:2']
  for (const killAt of [...kills, 'checkpoint-durable:1']) {
    const child = spawn(process.execPath, [PROGRAM, directory, '2'], {
      env: { ...process.env, MILLRACE_KILL_AT: killAt },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [, signal] = await once(child, 'close')
    assert.equal(signal, 'SIGKILL', killAt)
  }
  const last = await start(directory, { workers: 4, until: 'end' })
  assert.deepEqual(await last.finished, { kind: 'finished', because: 'end' })
  await checkAll(directory, 'after the kills')
  rmSync(directory, { recursive: true })
})

test('threads of an owner whose epoch has passed write nothing any more', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-threads-'))
  await produce(directory, 0, EVENTS)
  const owner = join(directory, 'data', 'owner')
  ports.files.makeDirectory(owner)
  ports.files.open(join(owner, '0000000001.json'), 'create').close()
  const data = join(directory, 'data')
  const fenced = fencePorts(ports, ownershipSince(data, ports.files, 1), data)
  const unfencedHere: Ports = { ...fenced, files: ports.files }
  ports.files.open(join(owner, '0000000002.json'), 'create').close()
  const run = start(directory, { workers: 2, until: 'end', ports: unfencedHere })
  const outcome = await run
    .then((started) => started.finished)
    .catch((error: unknown) => ({ kind: 'failed', error }) as const)
  assert.ok(outcome.kind === 'failed')
  assert.equal((outcome.error as { code: string }).code, 'OWNER_FENCED')
  rmSync(directory, { recursive: true })
})

function start(
  directory: string,
  more: Partial<PipelineStart> & { readonly workers: number },
): Promise<RunHandle> {
  const sql = clickSql({ path: join(directory, 'sums'), checkpoint: '20 ms' })
  const { pipeline, errors } = bindText(sql, 'p', CONNECTORS)
  assert.deepEqual(errors, [])
  return startPipeline({
    pipeline: pipeline!,
    connectors: CONNECTORS,
    ports,
    dataDirectory: join(directory, 'data'),
    baseDirectory: directory,
    threads: true,
    ...more,
  })
}

/** Waits until all rows there are have been read. */
async function caughtUp(run: RunHandle, events: number): Promise<void> {
  while (run.status().conservation.read < events) await ports.clock.sleep(5)
}

async function produce(directory: string, from: number, to: number): Promise<void> {
  const log = openLog({ ports, dataDirectory: join(directory, 'data'), fsync: { kind: 'os' } })
  if (log.topic('clicks') === undefined) {
    await log.createTopic('clicks', { partitions: PARTITIONS })
  }
  for (let n = from; n < to; n++) {
    await log.append('clicks', n % PARTITIONS, [{ value: Buffer.from(clickText(n)) }])
  }
  await log.close()
}

async function checkAll(directory: string, where: string): Promise<void> {
  const rows: Record<string, unknown>[] = []
  for await (const row of readDeltaIndependently(join(directory, 'sums'))) rows.push(row)
  const data = join(directory, 'data')
  const side = (topic: string): string[] => {
    if (!existsSync(join(data, 'log', `${topic}-0`))) return []
    return inspectPartition(ports, data, topic, 0, { withRecords: true }).flatMap((batch) =>
      batch.records!.map(({ value }) => Buffer.from(value!).toString()),
    )
  }
  const found: Found = { rows, late: side('sums.late'), dead: side('sums.dead') }
  holdAllOnce(EVENTS, found, where)
}
