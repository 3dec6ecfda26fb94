/**
 * A stream of clicks with everything that goes wrong, the pipeline that sums it up, and what must come out: every click is in a window
 * once, or among the late rows once, or among the dead ones.
 */
import assert from 'node:assert/strict'

const WINDOW_MS = 10_000
const START_MS = 1_699_999_000_000

export interface ClickOptions {
  /** Of the Delta table. */
  readonly path: string
  readonly checkpoint?: string
}

export function clickSql({ path, checkpoint = '3 ms' }: ClickOptions): string {
  return `
SET 'pipeline.name' = 'p';
SET 'execution.checkpointing.interval' = '${checkpoint}';
SET 'restart-strategy.exponential-delay.initial-backoff' = '10 ms';
CREATE TABLE clicks (k STRING, n BIGINT, at_time TIMESTAMP_LTZ(3), WATERMARK FOR at_time AS at_time - INTERVAL '2' SECOND)
  WITH ('connector' = 'log', 'topic' = 'clicks', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE TABLE sums (k STRING, window_start TIMESTAMP(3), events BIGINT, total BIGINT)
  WITH ('connector' = 'delta', 'table-path' = '${path}');
INSERT INTO sums SELECT k, window_start, COUNT(*), SUM(n)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at_time), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
`
}

interface Click {
  readonly k: string
  readonly n: number
  readonly atMs: number
}

/** A row a second or so, every 20th of them a minute too late, every 33rd no JSON. */
function clickOf(n: number): Click | undefined {
  if (n % 33 === 32) return undefined
  const disorderMs = (n * 7919) % 1500
  const atMs = START_MS + n * 900 - disorderMs - (isLate(n) ? 60_000 : 0)
  return { k: `k${n % 3}`, n, atMs }
}

/** Where it depends on what is read first, such a row may still be in time. */
export function isLate(n: number): boolean {
  return n % 20 === 19 && n > 100
}

/** What the topic holds of click `n`. */
export function clickText(n: number): string {
  const click = clickOf(n)
  if (click === undefined) return `{oops ${n}`
  return JSON.stringify({ k: click.k, n, at_time: new Date(click.atMs).toISOString() })
}

export interface Found {
  /** Rows of the Delta table. */
  readonly rows: readonly Record<string, unknown>[]
  /** The texts of the side topics. */
  readonly late: readonly string[]
  readonly dead: readonly string[]
}

export function holdAllOnce(events: number, found: Found, where: string): void {
  const late = found.late.map((text) => Number(/\bn\D{1,6}(\d+)/.exec(text)?.[1]))
  assert.equal(new Set(late).size, late.length, `${where}: late twice: ${late.join()}`)
  assert.ok(late.every(isLate), `${where}: late: ${late.join()}`)
  const expected = new Map<string, { events: number; total: number }>()
  const dead: number[] = []
  for (let n = 0; n < events; n++) {
    const click = clickOf(n)
    if (click === undefined) dead.push(n)
    if (click === undefined || late.includes(n)) continue
    const startMs = click.atMs - (click.atMs % WINDOW_MS)
    const key = `${click.k} ${startMs}`
    const before = expected.get(key) ?? { events: 0, total: 0 }
    expected.set(key, { events: before.events + 1, total: before.total + n })
  }
  assert.equal(found.dead.length, dead.length, `${where}: dead rows`)
  const rows = found.rows.map((row) => {
    const start = row.window_start
    const startMs = start instanceof Date ? start.getTime() : Date.parse(`${start}`)
    return `${row.k} ${startMs} ${row.events} ${row.total}`
  })
  const wanted = [...expected].map(([key, sums]) => `${key} ${sums.events} ${sums.total}`)
  assert.deepEqual(rows.sort(), wanted.sort(), where)
}
