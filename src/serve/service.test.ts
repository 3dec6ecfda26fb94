import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodePorts } from '../ports/node/ports.ts'
import type { Outcome, RunHandle, RunStatus } from '../run/handle.ts'
import { requireControl } from './control-client.ts'
import { type Launch, openService, type Service } from './service.ts'
import type { OwnerStatus } from './status.ts'

/** A run that does nothing until it is stopped: what the service makes of runs is tested here, not runs. */
function idleRun(name: string): RunHandle {
  const ended = Promise.withResolvers<Outcome>()
  const status: RunStatus = {
    pipeline: name,
    state: 'running',
    startedAtMs: 0,
    workers: 1,
    sources: [],
    windows: [],
    sinks: [],
    conservation: { read: 0, used: 0, dead: 0, madeDead: 0, late: 0 },
    checkpoint: {},
    restarts: 0,
  }
  return {
    pipeline: { name, nameIsDerived: false, settings: {}, sinks: [] },
    status: () => status,
    finished: ended.promise,
    stop() {
      ended.resolve({ kind: 'finished', because: 'stopped' })
      return ended.promise
    },
    savepoint: async () => ({ incarnation: 1, counter: 2 }),
  }
}

const launch = (name: string): Launch => ({ name, start: async () => idleRun(name) })

async function withService(
  body: (service: Service, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-service-'))
  const service = await openService({
    directory,
    version: '1.2.3',
    ports: nodePorts(),
    launch: async ({ file }) => [launch(file)],
    produce: async ({ records }) => ({ appended: records.length, duplicates: 0 }),
    onFenced: () => {},
  })
  try {
    await body(service, directory)
  } finally {
    await service.stopAll()
    await service.close()
    rmSync(directory, { recursive: true })
  }
}

test('another process starts, sees, saves and stops pipelines, and produces through the owner', async () => {
  await withService(async (service, directory) => {
    await service.start([launch('a')])
    const client = await requireControl(directory, nodePorts())
    assert.deepEqual(await client.ask({ op: 'start', file: 'b' }), { started: ['b'] })
    const { pipelines, version } = (await client.ask({ op: 'status' })) as OwnerStatus
    assert.deepEqual([version, pipelines.map(({ name }) => name)], ['1.2.3', ['a', 'b']])
    const { checkpoint } = (await client.ask({ op: 'savepoint', name: 'a' })) as {
      checkpoint: string
    }
    assert.equal(checkpoint, '1-2')
    const stopped = (await client.ask({ op: 'stop', name: 'a' })) as { state: string }
    assert.equal(stopped.state, 'stopped')
    const produced = await client.ask({ op: 'produce', topic: 't', records: [{ value: '{}' }] })
    assert.deepEqual(produced, { appended: 1, duplicates: 0 })
    client.close()
  })
})

test('a name that runs already is refused before anything is started; one that has ended is free', async () => {
  await withService(async (service) => {
    await service.start([launch('a')])
    let started = 0
    const counted: Launch = {
      name: 'b',
      async start() {
        started++
        return idleRun('b')
      },
    }
    await assert.rejects(service.start([counted, launch('a')]), { code: 'PIPELINE_EXISTS' })
    assert.equal(started, 0)
    await service.stop('a')
    await service.start([counted, launch('a')])
    assert.equal(service.status().pipelines.length, 2)
  })
})

test('two in one request of the same name are refused', async () => {
  await withService(async (service) => {
    await assert.rejects(service.start([launch('a'), launch('a')]), { code: 'PIPELINE_EXISTS' })
  })
})

test('a pipeline that nobody knows is refused, and those that run are named', async () => {
  await withService(async (service) => {
    await assert.rejects(service.stop('x'), { code: 'PIPELINE_UNKNOWN' })
    await service.start([launch('a')])
    await assert.rejects(service.stop('x'), { code: 'PIPELINE_UNKNOWN', hint: /: a$/ })
  })
})

test('all have ended when the last one has, those that came later included', async () => {
  await withService(async (service) => {
    await service.start([launch('a')])
    let hasEnded = false
    const ended = service.allEnded().then(() => {
      hasEnded = true
    })
    await service.start([launch('b')])
    await service.stop('a')
    assert.equal(hasEnded, false)
    await service.stop('b')
    await ended
  })
})
