import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import { parseAddress, serveHttp } from './http.ts'
import type { OwnerStatus, PipelineStatus } from './status.ts'

const revenue: PipelineStatus = {
  name: 'revenue',
  state: 'running',
  guarantee: 'exactly-once',
  workers: 1,
  startedMs: 1_700_000_000_000,
  restarts: 0,
  rowsRead: 1200,
  rowsUsed: 1199,
  rowsWritten: 30,
  rowsLate: 2,
  rowsDead: 1,
  rowsMadeDead: 0,
  rowsPerSecond: 100,
  lag: 5,
  watermarkMs: 1_700_000_000_000,
  splits: [
    {
      table: 'orders',
      split: '0',
      watermarkMs: 1_700_000_001_000,
      isIdle: false,
      isHolding: true,
      lateness: { events: 30_000, eventsLost: 60, delays: [{ share: 0.999, delayMs: 12_000 }] },
    },
    { table: 'orders', split: '1"\\\n', lag: 5, isIdle: true, isHolding: false },
  ],
  lateness: [
    {
      table: 'orders',
      delayMs: 5000,
      events: 30_000,
      eventsLost: 60,
      isDrifting: true,
      recent: {
        events: 20_000,
        kept: 0.997,
        low: 0.996,
        high: 0.998,
        promised: 0.999,
        keepingMs: 12_000,
        keeping: "INTERVAL '12' SECOND",
      },
    },
  ],
  windows: { any: true, open: 3, counted: 1197, nextEndMs: 1_700_000_060_000 },
  spilled: { residentBytes: 100, spilledBytes: 400, waitingRows: 9, swaps: 3, pauseMsMax: 5 },
  checkpoint: { id: '1-7', completedMs: 1_700_000_002_000, durationMs: 12, bytes: 4096 },
}

function statusOf(...pipelines: PipelineStatus[]): OwnerStatus {
  return {
    version: '0.0.0',
    processId: 1,
    epoch: 1,
    startedMs: 0,
    directory: '/data',
    pipelines,
  }
}

async function withServer(
  status: OwnerStatus,
  body: (url: string) => Promise<void>,
  token?: string,
): Promise<void> {
  const server = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => status,
    ...(token === undefined ? {} : { token }),
  })
  try {
    await body(server.url)
  } finally {
    await server.close()
  }
}

test('a running pipeline is alive, ready, told as JSON and as metrics', async () => {
  await withServer(statusOf(revenue), async (url) => {
    assert.equal((await fetch(`${url}/livez`)).status, 200)
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
    assert.deepEqual(await (await fetch(`${url}/status`)).json(), statusOf(revenue))
    const metrics = await fetch(`${url}/metrics`)
    assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await metrics.text()
    assert.match(text, /^millrace_rows_read_total\{pipeline="revenue"\} 1200$/m)
    assert.match(
      text,
      /^millrace_split_idle\{pipeline="revenue",table="orders",split="1\\"\\\\\\n"\} 1$/m,
    )
    assert.match(text, /^millrace_state_spilled_bytes\{pipeline="revenue"\} 400$/m)
    assert.match(text, /^millrace_state_swaps_total\{pipeline="revenue"\} 3$/m)
    assert.match(text, /^millrace_state_pause_seconds_max\{pipeline="revenue"\} 0.005$/m)
    assert.match(text, /^millrace_watermark_seconds\{pipeline="revenue"\} 1700000000$/m)
    assert.match(text, /^millrace_watermark_drifting\{pipeline="revenue",table="orders"\} 1$/m)
    assert.match(text, /^millrace_watermark_complete_ratio\{[^}]*table="orders"\} 0.997$/m)
    assert.match(text, /^millrace_split_events_lost_total\{[^}]*split="0"\} 60$/m)
    assert.match(text, /^millrace_split_keeping_delay_seconds\{[^}]*share="0.999"\} 12$/m)
  })
})

test('a scrape tells the counts of now, not their sum with the last scrape', async () => {
  await withServer(statusOf(revenue), async (url) => {
    await (await fetch(`${url}/metrics`)).text()
    const second = await (await fetch(`${url}/metrics`)).text()
    assert.match(second, /^millrace_rows_read_total\{pipeline="revenue"\} 1200$/m)
  })
})

test('promtool accepts the metrics where it is installed', async (context) => {
  if (spawnSync('promtool', ['--version']).status !== 0)
    return context.diagnostic('promtool is not installed: the check was not made')
  await withServer(statusOf(revenue), async (url) => {
    const text = await (await fetch(`${url}/metrics`)).text()
    const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    assert.equal(check.stdout + check.stderr, '')
    assert.equal(check.status, 0)
  })
})

test('a failed pipeline makes it unready and names the reason, but it stays alive', async () => {
  const problem = { code: 'LOG_CORRUPT', message: 'm', hint: 'h' }
  await withServer(statusOf({ ...revenue, state: 'failed', problem }), async (url) => {
    const ready = await fetch(`${url}/readyz`)
    assert.equal(ready.status, 503)
    assert.equal(await ready.text(), 'revenue: failed, LOG_CORRUPT\n')
    assert.equal((await fetch(`${url}/livez`)).status, 200)
  })
})

test('a pipeline that has finished or was stopped leaves it ready', async () => {
  const stopped = statusOf({ ...revenue, state: 'stopped' }, { ...revenue, state: 'finished' })
  await withServer(stopped, async (url) => {
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
  })
})

test('with a token, status and metrics ask for it and health does not', async () => {
  await withServer(
    statusOf(revenue),
    async (url) => {
      assert.equal((await fetch(`${url}/livez`)).status, 200)
      assert.equal((await fetch(`${url}/status`)).status, 401)
      assert.equal((await fetch(`${url}/nothing`)).status, 401)
      const headers = { authorization: 'Bearer opensesame' }
      assert.equal((await fetch(`${url}/status`, { headers })).status, 200)
      const wrong = { authorization: 'Bearer opensesam' }
      assert.equal((await fetch(`${url}/status`, { headers: wrong })).status, 401)
    },
    'opensesame',
  )
})

test('an address that others can reach is refused without a token', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
    await assert.rejects(serveHttp({ address: { host, port: 0 }, status: () => statusOf() }), {
      code: 'HTTP_UNPROTECTED',
    })
  }
})

test('an address that is taken is an error with a way out', async () => {
  await withServer(statusOf(), async (url) => {
    const address = { host: '127.0.0.1', port: Number(new URL(url).port) }
    await assert.rejects(serveHttp({ address, status: () => statusOf() }), {
      code: 'HTTP_LISTEN_FAILED',
    })
  })
})

test('addresses are read with and without a host', () => {
  assert.deepEqual(parseAddress('9464'), { host: '127.0.0.1', port: 9464 })
  assert.deepEqual(parseAddress('[::1]:0'), { host: '::1', port: 0 })
  assert.deepEqual(parseAddress('localhost:80'), { host: 'localhost', port: 80 })
  for (const text of ['', 'x', '127.0.0.1', '127.0.0.1:65536', '::1:80', ':80', '1:2:3'])
    assert.throws(() => parseAddress(text), { code: 'HTTP_ADDRESS_INVALID' })
})
