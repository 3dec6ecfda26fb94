/** A start that fails midway has closed all that it opened before. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Connector } from '../../src/connectors/contract/connector.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { simulatedPorts } from '../../src/testing/ports.ts'

const SQL = `
  CREATE TABLE left_in (n BIGINT) WITH ('connector' = 'counted');
  CREATE TABLE right_in (n BIGINT) WITH ('connector' = 'counted');
  CREATE TABLE left_out (n BIGINT) WITH ('connector' = 'counted');
  CREATE TABLE right_out (n BIGINT) WITH ('connector' = 'counted');
  INSERT INTO left_out SELECT n FROM left_in; INSERT INTO right_out SELECT n FROM right_in;`

for (const workers of [1, 3]) {
  test(`whichever of the openings fails, what was opened before is closed, by ${workers} workers`, async () => {
    const all = await openings(workers, undefined)
    assert.ok(all.opened >= 8, `${all.opened}`)
    assert.equal(all.closed, all.opened)
    for (let nth = 1; nth <= all.opened; nth++) {
      const { opened, closed, failed } = await openings(workers, nth)
      assert.ok(failed, `opening ${nth} fails the start`)
      assert.equal(closed, opened, `opening ${nth} of ${all.opened}`)
    }
  })
}

interface Openings {
  readonly opened: number
  readonly closed: number
  readonly failed: boolean
}

/** The nth opening fails; it does not count as opened. */
async function openings(workers: number, nth: number | undefined): Promise<Openings> {
  let asked = 0
  let opened = 0
  let closed = 0
  const open = <Made extends object>(made: Made): Made & { close(): Promise<void> } => {
    if (++asked === nth) throw new Error('this one does not open')
    opened++
    return {
      ...made,
      close: async () => {
        closed++
      },
    }
  }
  const connectors = [counted(open)]
  const { pipeline, errors } = bindText(SQL, 'p', connectors)
  assert.deepEqual(errors, [])
  const start = startPipeline({
    pipeline: pipeline!,
    connectors,
    ports: simulatedPorts(1),
    dataDirectory: '/data',
    baseDirectory: '/',
    workers,
    until: 'end',
  })
  const failed = await start.then(
    () => false,
    () => true,
  )
  if (!failed) await (await start).finished
  return { opened, closed, failed }
}

type Open = <Made extends object>(made: Made) => Made & { close(): Promise<void> }

function counted(open: Open): Connector {
  return {
    name: 'counted',
    summary: 'Counts what it opens',
    options: [],
    metadata: {},
    source: {
      replay: 'exact',
      bounded: () => true,
      open: async () =>
        open({
          replay: 'exact' as const,
          bounded: true,
          splits: async () => ['0', '1', '2'],
          endPosition: async () => '0',
          open: async () => open({ poll: () => 'ended' as const, committed: async () => {} }),
        }),
    },
    sink: {
      guarantee: 'exactly-once',
      modes: () => ['append'],
      open: async () => ({
        guarantee: 'exactly-once',
        prepareTable: async () => {},
        openWriter: async () =>
          open({
            write: () => {},
            full: false,
            drain: async () => {},
            prepare: async () => undefined,
          }),
        openCommitter: async () =>
          open({
            commit: async () => ({ kind: 'committed' as const, already: false }),
            lastCommitted: async () => undefined,
          }),
      }),
    },
  }
}
