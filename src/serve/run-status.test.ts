import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import type { RunStatus } from '../run/handle.ts'
import { pipelineStatus } from './run-status.ts'

const NOW = 1_770_000_000_000
const running: RunStatus = {
  pipeline: 'revenue',
  state: 'running',
  startedAtMs: NOW - 1000,
  workers: 2,
  sources: [
    {
      source: 's',
      table: 'orders',
      rowsRead: 10,
      rowsPerSecond: 5,
      watermarkUs: -1n,
      heldBy: '1',
      splits: [
        { split: '0', state: 'idle', lag: 3 },
        { split: '1', state: 'at-end', watermarkUs: -1n, lag: 4 },
      ],
    },
    {
      source: 't',
      table: 'shops',
      rowsRead: 2,
      rowsPerSecond: 1,
      splits: [{ split: 'a', state: 'ended' }],
    },
  ],
  windows: [
    { node: 'w', openWindows: 2, nextEndUs: 60_000_000n, counted: 7, late: 1 },
    { node: 'v', openWindows: 1, nextEndUs: 30_000_000n, counted: 2, late: 0 },
  ],
  sinks: [
    { sink: 'a', table: 'revenue', guarantee: 'exactly-once', rowsWritten: 3 },
    { sink: 'b', table: 'lines', guarantee: 'at-least-once', rowsWritten: 4 },
  ],
  conservation: { read: 12, used: 11, dead: 1, madeDead: 0, late: 1 },
  checkpoint: { last: { incarnation: 3, counter: 9 }, ageMs: 400, bytes: 10, durationMs: 5 },
  restarts: 0,
}

test('a run is told with splits flattened, the weakest guarantee and the earliest window', () => {
  assert.deepEqual(pipelineStatus({ status: running, nowMs: NOW }), {
    name: 'revenue',
    state: 'running',
    guarantee: 'at-least-once',
    workers: 2,
    startedMs: NOW - 1000,
    restarts: 0,
    rowsRead: 12,
    rowsUsed: 11,
    rowsWritten: 7,
    rowsLate: 1,
    rowsDead: 1,
    rowsMadeDead: 0,
    rowsPerSecond: 6,
    lag: 7,
    watermarkMs: -1,
    splits: [
      { table: 'orders', split: '0', isIdle: true, isHolding: false, lag: 3 },
      { table: 'orders', split: '1', isIdle: false, isHolding: true, lag: 4, watermarkMs: -1 },
      { table: 'shops', split: 'a', isIdle: true, isHolding: false },
    ],
    lateness: [],
    windows: { any: true, open: 3, counted: 9, nextEndMs: 30_000 },
    checkpoint: { id: '3-9', completedMs: NOW - 400, durationMs: 5, bytes: 10 },
  })
})

test('how a run ended decides its state, and a refused commit tells the remedy', () => {
  const told = (outcome: Parameters<typeof pipelineStatus>[0]['outcome']) =>
    pipelineStatus({ status: running, nowMs: NOW, ...(outcome && { outcome }) })
  assert.equal(told({ kind: 'finished', because: 'stopped' }).state, 'stopped')
  assert.equal(told({ kind: 'finished', because: 'now' }).state, 'finished')
  const error = new MillraceError('LOG_CORRUPT', { message: 'm', hint: 'h' })
  const failed = told({ kind: 'failed', error, attempts: 3 })
  assert.deepEqual(
    [failed.state, failed.problem],
    ['failed', { code: 'LOG_CORRUPT', message: 'm', hint: 'h' }],
  )
  const pending = {
    pipeline: 'p',
    checkpoint: { incarnation: 1, counter: 1 },
    committables: [],
    positions: {},
  }
  const refused = told({
    kind: 'commit-refused',
    sink: 'revenue',
    reason: 'gone',
    remedy: 'make it',
    pending,
  })
  assert.equal(refused.problem?.code, 'COMMIT_REFUSED')
  assert.match(refused.problem?.hint ?? '', /^make it; what was to be committed is kept/)
})
