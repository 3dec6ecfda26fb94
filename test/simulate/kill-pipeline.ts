/** One process of a pipeline that is fed while it runs and is killed: log -> window -> Delta. `finish` feeds the rest and ends. */
import { openLog } from '../../src/log/log.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'

const [directory, total, mode, table] = process.argv.slice(2)
const SQL = `
SET 'execution.checkpointing.interval' = '100 ms';
CREATE TABLE clicks (n BIGINT, at_time TIMESTAMP_LTZ(3), WATERMARK FOR at_time AS at_time)
  WITH ('connector' = 'log', 'topic' = 'clicks', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE TABLE sums (window_start TIMESTAMP(3), events BIGINT, total BIGINT)
  WITH ('connector' = 'delta', 'table-path' = '${table}');
INSERT INTO sums SELECT window_start, COUNT(*), SUM(n)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at_time), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
`
const ports = nodePorts()
const dataDirectory = `${directory}/data`
const log = openLog({ ports, dataDirectory })
if (log.topic('clicks') === undefined) await log.createTopic('clicks')
const start = () =>
  startPipeline({
    pipeline: bindText(SQL, 'p', CONNECTORS).pipeline!,
    connectors: CONNECTORS,
    ports,
    dataDirectory,
    baseDirectory: directory!,
    ...(mode === 'finish' ? { until: 'end' as const } : {}),
  })
if (mode !== 'finish') await start()
process.stdout.write('running\n')
const known = await log.producer('clicks', 0, 1)
for (let sequence = (known?.lastSequence ?? -1) + 1; sequence < Number(total); sequence++) {
  const at_time = new Date(1.7e12 + sequence * 1000).toISOString()
  const value = new TextEncoder().encode(JSON.stringify({ n: sequence, at_time }))
  await log.append('clicks', 0, [{ value }], { producerId: 1, epoch: 0, sequence })
  if (mode !== 'finish') await ports.clock.sleep(2)
}
if (mode === 'finish') {
  const outcome = await (await start()).finished
  await log.close()
  if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome))
}
