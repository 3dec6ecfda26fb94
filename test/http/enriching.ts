/**
 * One process of a pipeline that looks names up: `node enriching.ts DIRECTORY URL ROWS WORKERS`. It feeds its topic while it runs, going on
 * where the process before was killed, and ends when all rows have met theirs; it is killed where MILLRACE_KILL_AT says.
 */
import { openLog } from '../../src/log/log.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

const [directory, url, rows, workers] = process.argv.slice(2)
const killAt = process.env.MILLRACE_KILL_AT
const ports = nodePorts(killAt === undefined ? {} : { killAt })
const dataDirectory = `${directory}/data`
const log = openLog({ ports, dataDirectory })
for (const topic of ['events', 'named'])
  if (log.topic(topic) === undefined) await log.createTopic(topic)
const start = (until?: 'end') =>
  startPipeline({
    pipeline: bindText(
      `SET 'execution.checkpointing.interval' = '20 ms';
      SET 'restart-strategy.exponential-delay.initial-backoff' = '1 ms';
      SET 'restart-strategy.exponential-delay.max-backoff' = '20 ms';
      CREATE TABLE events (n BIGINT, proc AS PROCTIME()) WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json');
      CREATE TABLE names (n BIGINT, name STRING) WITH ('connector' = 'http', 'url' = '${url}/{{n}}',
        'lookup.max-retries' = '1', 'lookup.retry-backoff' = '1 ms', 'lookup.max-in-flight' = '4');
      CREATE TABLE named (n BIGINT, name STRING) WITH ('connector' = 'log', 'topic' = 'named', 'format' = 'json');
      INSERT INTO named SELECT e.n, c.name FROM events AS e JOIN names FOR SYSTEM_TIME AS OF e.proc AS c ON e.n = c.n`,
      'enriching',
      CONNECTORS,
    ).pipeline!,
    ...{ connectors: CONNECTORS, ports, dataDirectory, baseDirectory: directory! },
    workers: Number(workers),
    ...(until === undefined ? {} : { until }),
  })
const run = await start()
const known = await log.producer('events', 0, 1)
for (let sequence = (known?.lastSequence ?? -1) + 1; sequence < Number(rows); sequence++) {
  const value = Buffer.from(JSON.stringify({ n: sequence }))
  await log.append('events', 0, [{ value }], { producerId: 1, epoch: 0, sequence })
  await ports.clock.sleep(2)
}
await run.stop()
const outcome = await (await start('end')).finished
await log.close()
if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome))
