/** A pipeline that sends alerts: `node alerting.ts DIRECTORY URL ROWS`. See fed-pipeline.ts. */
import { runFed } from './fed-pipeline.ts'

const [directory, url, rows] = process.argv.slice(2)
await runFed({
  name: 'alerting',
  topics: [],
  sql: `
    CREATE TABLE events (n BIGINT) WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json');
    CREATE TABLE alerts (n BIGINT) WITH ('connector' = 'http', 'url' = '${url}', 'sink.retry-backoff' = '1 ms');
    INSERT INTO alerts SELECT n FROM events`,
  directory: directory!,
  rows: Number(rows),
  workers: 1,
  pauseMs: 3,
})
