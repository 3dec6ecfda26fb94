/** A pipeline that looks names up: `node enriching.ts DIRECTORY URL ROWS WORKERS`. See fed-pipeline.ts. */
import { runFed } from './fed-pipeline.ts'

const [directory, url, rows, workers] = process.argv.slice(2)
await runFed({
  name: 'enriching',
  topics: ['named'],
  sql: `
    SET 'restart-strategy.exponential-delay.initial-backoff' = '1 ms';
    SET 'restart-strategy.exponential-delay.max-backoff' = '20 ms';
    CREATE TABLE events (n BIGINT, proc AS PROCTIME()) WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json');
    CREATE TABLE names (n BIGINT, name STRING) WITH ('connector' = 'http', 'url' = '${url}/{{n}}',
      'lookup.max-retries' = '1', 'lookup.retry-backoff' = '1 ms', 'lookup.max-in-flight' = '4');
    CREATE TABLE named (n BIGINT, name STRING) WITH ('connector' = 'log', 'topic' = 'named', 'format' = 'json');
    INSERT INTO named SELECT e.n, c.name FROM events AS e JOIN names FOR SYSTEM_TIME AS OF e.proc AS c ON e.n = c.n`,
  directory: directory!,
  rows: Number(rows),
  workers: Number(workers),
  pauseMs: 2,
})
