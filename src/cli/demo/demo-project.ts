/** The project that the demo leaves behind: a shop's tables, its pipeline, its arrivals. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Arrival, DELAY_SECONDS } from './shop.ts'

export const TOPIC = 'orders'
export const PARTITIONS = 4
export const TABLE_PATH = 'lake/revenue'
export const PIPELINE_FILE = 'pipelines/revenue.sql'

const FILES: Readonly<Record<string, string>> = {
  'tables/shop.sql': `-- Orders as the tills and phones send them. Whoever is more than ${DELAY_SECONDS} seconds behind comes late for a minute that is over.
CREATE TABLE orders (
  id STRING,
  shop STRING,
  amount DECIMAL(10, 2),
  placed_at TIMESTAMP_LTZ(3),
  WATERMARK FOR placed_at AS placed_at - INTERVAL '${DELAY_SECONDS}' SECOND
) WITH (
  'connector' = 'log',
  'topic' = '${TOPIC}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

-- A Delta table: Spark, Trino, DuckDB and delta-rs open it as it is.
CREATE TABLE revenue (
  shop STRING,
  window_start TIMESTAMP(3),
  orders BIGINT,
  revenue DECIMAL(38, 2)
) WITH (
  'connector' = 'delta',
  'table-path' = '${TABLE_PATH}'
);
`,
  [PIPELINE_FILE]: `-- Revenue by shop and minute. Late orders go to revenue$late, unreadable ones and clocks from tomorrow to revenue$dead.
SET 'pipeline.name' = 'revenue';

INSERT INTO revenue
SELECT shop, window_start, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(placed_at), INTERVAL '1' MINUTE))
GROUP BY shop, window_start, window_end;
`,
  'README.md': `# What the demo left here

- \`tables/\` and \`pipelines/\`: the SQL that ran
- \`events.jsonl\`: two hours of orders as they arrived, late, twice, broken
- \`lake/revenue\`: the Delta table
- \`naive/\`: what the program without Millrace wrote on the same events

\`\`\`
millrace query "SELECT shop, SUM(revenue) AS revenue FROM revenue GROUP BY shop"
millrace late list revenue
millrace dead list revenue
millrace explain pipelines/revenue.sql
millrace log list
\`\`\`
`,
  '.gitignore': '.millrace/\nlake/\n',
}

/** Made anew: the demo owns the folder, which must be its own or not exist. */
export function makeProject(directory: string): void {
  for (const part of ['.millrace', 'lake', 'naive', 'tables', 'pipelines', 'events.jsonl']) {
    rmSync(join(directory, part), { recursive: true, force: true })
  }
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  mkdirSync(join(directory, 'naive'), { recursive: true })
}

export function writeArrivals(directory: string, arrivals: readonly Arrival[]): void {
  const lines = arrivals.map(({ line }) => `${line}\n`)
  writeFileSync(join(directory, 'events.jsonl'), lines.join(''))
}
