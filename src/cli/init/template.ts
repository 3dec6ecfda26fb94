/** The files of a new project: small, commented, and every command in the README works on them. */
import { sampleOrders } from './sample-orders.ts'

export interface TemplateFile {
  readonly path: string
  readonly text: string
}

export function templateFiles(name: string): TemplateFile[] {
  return [
    { path: 'README.md', text: readme(name) },
    { path: 'tables/orders.sql', text: ORDERS },
    { path: 'tables/revenue.sql', text: REVENUE },
    { path: 'pipelines/revenue.sql', text: PIPELINE },
    { path: 'tests/revenue.golden', text: GOLDEN },
    { path: 'data/orders.jsonl', text: sampleOrders() },
    { path: 'millrace.config.ts', text: CONFIG },
    { path: '.gitignore', text: '.millrace/\nlake/\nnode_modules/\n' },
  ]
}

const ORDERS = `-- Where the events come from. Every pipeline and query of this project sees this table.
--
-- Here a file of JSON lines, read to its end. To take live events instead, use the embedded log:
--   WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json')
-- and feed it with
--   millrace produce orders data/orders.jsonl --key shop --event-id id --partitions 2
CREATE TABLE orders (
  id        BIGINT,
  shop      STRING,
  amount    DECIMAL(10, 2),
  placed_at TIMESTAMP_LTZ(3),
  -- How far behind the newest event others may come. Later ones are not lost: see \`millrace late list\`.
  WATERMARK FOR placed_at AS placed_at - INTERVAL '30' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'data/orders.jsonl',
  'format' = 'json'
);
`

const REVENUE = `-- Where the results go: a Delta table, which Spark, DuckDB, Trino and others open as it is.
CREATE TABLE revenue (
  shop         STRING,
  window_start TIMESTAMP(3),
  orders       BIGINT,
  revenue      DECIMAL(38, 2)
) WITH (
  'connector' = 'delta',
  'table-path' = 'lake/revenue'
);
`

const PIPELINE = `-- Orders and money of each shop, minute by minute. A window's row comes when the watermark has passed its end.
SET 'pipeline.name' = 'revenue';

INSERT INTO revenue
SELECT shop, window_start, COUNT(*), SUM(amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(placed_at), INTERVAL '1' MINUTE))
GROUP BY shop, window_start, window_end;
`

const GOLDEN = `# An order counts in its minute; one that comes when the minute has been told is late.
#
# \`millrace test\` runs this in many ways, restarted and by several workers; \`millrace test --update\` writes what comes out.
pipeline revenue
feed     orders  +I 1 oslo 12.50 2026-01-05T08:00:01   +I 2 bergen 3.00 2026-01-05T08:00:20
         +I 3 oslo 4.00 2026-01-05T08:00:59   +I 4 oslo 1.00 2026-01-05T08:01:40   +I 5 oslo 9.00 2026-01-05T08:00:30
changes  +I oslo 2026-01-05T08:00:00 2 16.50   +I bergen 2026-01-05T08:00:00 1 3.00
         +I oslo 2026-01-05T08:01:00 1 1.00
table    bergen 2026-01-05T08:00:00 1 3.00   oslo 2026-01-05T08:00:00 2 16.50
         oslo 2026-01-05T08:01:00 1 1.00
late     2026-01-05T08:00:00 2026-01-05T08:00:30 2026-01-05T08:01:10
`

const CONFIG = `// Everything here is optional; these are the defaults.
export default {
  data: '.millrace', // checkpoints and the log
  workers: 1, // threads of each pipeline
  // http: { address: '127.0.0.1:9464' }, // /livez, /readyz, /metrics, /status
  log: { level: 'info' },
}
`

function readme(name: string): string {
  return `# ${name}

Orders come in, revenue per shop and minute comes out, in a Delta table that other engines open.

\`\`\`sh
millrace check                     # is everything valid? nothing is opened
millrace test                      # does tests/revenue.golden still come out?
millrace explain pipelines/revenue.sql
millrace run                       # reads data/orders.jsonl to its end, fires all windows, commits, stops
millrace query "SELECT * FROM revenue ORDER BY window_start, shop"
millrace late list revenue         # orders that came after their minute was done
\`\`\`

If \`millrace\` is not on your path, write \`npx millrace\`.

| where | what |
|---|---|
| \`tables/\` | tables that all pipelines and queries see |
| \`pipelines/\` | one pipeline a file |
| \`tests/\` | what a pipeline is fed, and what must come out |
| \`data/\` | sample events: one order comes three minutes late |
| \`lake/\` | the results, made by the first run |
| \`.millrace/\` | checkpoints and the event log |

Next: let \`orders\` read the embedded log instead of the file (see the comment in \`tables/orders.sql\`), start
\`millrace run\` in one terminal and \`millrace produce\` in another. After a run to the end, a new one begins
with \`millrace run --fresh\`, which refuses to write the same rows again into a table that holds them: remove \`lake/\` first.
`
}
