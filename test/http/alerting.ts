/**
 * One process of a pipeline that sends alerts: `node alerting.ts DIRECTORY URL ROWS`. It feeds its topic while it runs, going on where the
 * process before was killed, and ends when all rows have been sent; it is killed where MILLRACE_KILL_AT says.
 */
import { openLog } from '../../src/log/log.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

const [directory, url, rows] = process.argv.slice(2)
const killAt = process.env.MILLRACE_KILL_AT
const ports = nodePorts(killAt === undefined ? {} : { killAt })
const dataDirectory = `${directory}/data`
const log = openLog({ ports, dataDirectory })
if (log.topic('events') === undefined) await log.createTopic('events')
const start = (until?: 'end') =>
  startPipeline({
    pipeline: bindText(
      `SET 'execution.checkpointing.interval' = '20 ms';
      CREATE TABLE events (n BIGINT) WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json');
      CREATE TABLE alerts (n BIGINT) WITH ('connector' = 'http', 'url' = '${url}', 'sink.retry-backoff' = '1 ms');
      INSERT INTO alerts SELECT n FROM events`,
      'alerting',
      CONNECTORS,
    ).pipeline!,
    ...{ connectors: CONNECTORS, ports, dataDirectory, baseDirectory: directory! },
    ...(until === undefined ? {} : { until }),
  })
const run = await start()
const known = await log.producer('events', 0, 1)
for (let sequence = (known?.lastSequence ?? -1) + 1; sequence < Number(rows); sequence++) {
  const value = Buffer.from(JSON.stringify({ n: sequence }))
  await log.append('events', 0, [{ value }], { producerId: 1, epoch: 0, sequence })
  await ports.clock.sleep(3)
}
await run.stop()
const outcome = await (await start('end')).finished
await log.close()
if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome))
