/**
 * One process of a pipeline that feeds its topic `events` with rows of n = 0, 1, 2 ... while it runs. It goes on where the process before
 * was killed, ends when all rows have been used, and is killed where MILLRACE_KILL_AT says.
 */
import { openLog } from '../../src/log/log.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

export interface FedPipeline {
  readonly name: string
  /** Beside `events`. */
  readonly topics: readonly string[]
  readonly sql: string
  readonly directory: string
  readonly rows: number
  readonly workers: number
  /** Between two rows. */
  readonly pauseMs: number
}

export async function runFed(fed: FedPipeline): Promise<void> {
  const { directory } = fed
  const killAt = process.env.MILLRACE_KILL_AT
  const ports = nodePorts(killAt === undefined ? {} : { killAt })
  const dataDirectory = `${directory}/data`
  const log = openLog({ ports, dataDirectory })
  for (const topic of ['events', ...fed.topics])
    if (log.topic(topic) === undefined) await log.createTopic(topic)
  const start = (until?: 'end') =>
    startPipeline({
      pipeline: bindText(
        `SET 'execution.checkpointing.interval' = '20 ms'; ${fed.sql}`,
        fed.name,
        CONNECTORS,
      ).pipeline!,
      ...{ connectors: CONNECTORS, ports, dataDirectory, baseDirectory: directory },
      workers: fed.workers,
      ...(until === undefined ? {} : { until }),
    })
  const run = await start()
  const known = await log.producer('events', 0, 1)
  for (let sequence = (known?.lastSequence ?? -1) + 1; sequence < fed.rows; sequence++) {
    const value = Buffer.from(JSON.stringify({ n: sequence }))
    await log.append('events', 0, [{ value }], { producerId: 1, epoch: 0, sequence })
    await ports.clock.sleep(fed.pauseMs)
  }
  await run.stop()
  const outcome = await (await start('end')).finished
  await log.close()
  if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome))
}
