/**
 * Processes of a simulated machine, one after another: each starts a pipeline, and is over when the run is, or when it crashed.
 * From then on it touches nothing.
 */
import assert from 'node:assert/strict'
import { MillraceError } from '../../src/errors.ts'
import { inspectPartition } from '../../src/log/inspect.ts'
import { openLog } from '../../src/log/log.ts'
import type { UserFunctionType } from '../../src/plan/functions/user.ts'
import type { ObjectStore } from '../../src/ports/objects.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { Outcome, PipelineStart, RunHandle } from '../../src/run/handle.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { mortal } from '../../src/testing/mortal.ts'
import type { SimulatedPorts } from '../../src/testing/ports.ts'

export const DATA = '/data'

export interface Life
  extends Partial<
    Pick<
      PipelineStart,
      'until' | 'workers' | 'interleaving' | 'fresh' | 'fromSavepoint' | 'allowDuplicates'
    >
  > {
  readonly sql: string
  /** That it calls. */
  readonly functions?: ReadonlyMap<string, UserFunctionType>
  /** Called each simulated ms while it runs, unless it is still at it; what it throws ends the life. */
  readonly meanwhile?: (run: RunHandle, ports: Ports) => void | Promise<void>
  /** The object store that it has, over that of the machine. */
  readonly objects?: (store: ObjectStore) => ObjectStore
}

/** How a life ended; what could not start has failed with no attempts. */
export async function live(ports: SimulatedPorts, life: Life): Promise<Outcome | 'crashed'> {
  const { sql, functions, meanwhile, objects, ...start } = life
  const process = mortal(ports, objects === undefined ? {} : { objects })
  const { pipeline, errors } = bindText(sql, 'p', CONNECTORS, functions)
  assert.deepEqual(errors, [])
  let run: RunHandle | undefined
  let outcome: Outcome | undefined
  let failure: unknown
  let isBusy = false
  startPipeline({
    ...start,
    pipeline: pipeline!,
    connectors: CONNECTORS,
    ports: process.ports,
    dataDirectory: DATA,
    baseDirectory: '/',
  })
    .then(async (started) => {
      run = started
      outcome = await started.finished
    })
    .catch((error: unknown) => {
      failure = error
    })
  while (outcome === undefined && failure === undefined && !process.isDead()) {
    if (run !== undefined && meanwhile !== undefined && !isBusy) {
      isBusy = true
      // Not waited for: what it does may take simulated time.
      Promise.resolve(meanwhile(run, process.ports))
        .catch((error: unknown) => {
          failure ??= error
        })
        .finally(() => {
          isBusy = false
        })
    }
    await ports.clock.advance(1)
  }
  if (process.isDead()) return 'crashed'
  process.end()
  if (failure instanceof MillraceError) return { kind: 'failed', error: failure, attempts: 0 }
  if (failure !== undefined) throw failure
  return outcome!
}

/** Appends JSON rows to a topic, which is made if it is missing, in turn to its partitions. */
export async function produceRows(
  ports: Ports,
  topic: string,
  rows: readonly unknown[],
  options: { readonly partitions?: number; readonly settings?: Record<string, string> } = {},
): Promise<void> {
  const log = openLog({ ports, dataDirectory: DATA })
  await log.recover()
  if (log.topic(topic) === undefined) await log.createTopic(topic, options)
  const { partitions } = log.topic(topic)!
  for (const [at, row] of rows.entries()) {
    const text = typeof row === 'string' ? row : JSON.stringify(row)
    await log.append(topic, at % partitions, [{ value: new TextEncoder().encode(text) }])
  }
  await log.close()
}

/** The values that a topic holds, partition by partition. */
export function topicTexts(ports: SimulatedPorts, topic: string, partitions = 1): string[] {
  return Array.from({ length: partitions }, (_, partition) => partition).flatMap((partition) => {
    if (!ports.files.exists(`${DATA}/log/${topic}-${partition}`)) return []
    return inspectPartition(ports, DATA, topic, partition, { withRecords: true }).flatMap((batch) =>
      batch.records!.map(({ value }) => new TextDecoder().decode(value!)),
    )
  })
}
