/** The project that the demo leaves behind: a shop's tables, its pipeline, its arrivals. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MAIN } from './contestants.ts'
import { type Arrival, DELAY_SECONDS } from './shop.ts'

export const TOPIC = 'orders'
export const PARTITIONS = 4
export const TABLE_PATH = 'lake/revenue'
export const PIPELINE_FILE = 'pipelines/revenue.sql'

/** What one may type in the folder; a test does. */
export const NEXT_COMMANDS: readonly { readonly command: string; readonly why: string }[] = [
  {
    command: './millrace query "SELECT shop, SUM(revenue) FROM revenue GROUP BY shop"',
    why: 'the table, by the same engine',
  },
  {
    command: './millrace late list revenue --limit 5',
    why: 'what came too late, for which minute',
  },
  { command: './millrace dead list revenue --limit 5', why: 'what is no order, or from tomorrow' },
  { command: './millrace explain pipelines/revenue.sql', why: 'what ran, and what it promises' },
  {
    command: `duckdb -c "SELECT * FROM delta_scan('${TABLE_PATH}')"`,
    why: 'elsewhere: DuckDB, Spark, Trino, delta-rs open it as it is',
  },
  { command: './millrace init ../my-project', why: 'your own' },
]

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
${NEXT_COMMANDS.map(({ command, why }) => `${command}\n    # ${why}`).join('\n')}
\`\`\`

\`./millrace\` starts the program that made this folder.
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
  writeFileSync(join(directory, 'millrace'), launcher(), { mode: 0o755 })
}

/** The command may be on no PATH, and `node` another than this one. */
function launcher(): string {
  const quoted = [process.execPath, MAIN].map((path) => `'${path.replaceAll("'", `'\\''`)}'`)
  return `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`
}

export function writeArrivals(directory: string, arrivals: readonly Arrival[]): void {
  const lines = arrivals.map(({ line }) => `${line}\n`)
  writeFileSync(join(directory, 'events.jsonl'), lines.join(''))
}
