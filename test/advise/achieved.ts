/** The completeness that is advised, and the one that a pipeline achieves: by running it. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { judge } from '../../src/advise/watermark/judge.ts'
import type { WatermarkAdvice } from '../../src/advise/watermark/shape.ts'
import { measureTable } from '../../src/cli/watermark-measure.ts'
import { open } from '../../src/index.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'

export const TOLERANCE = 0.001
const WINDOW_US = 60_000_000

/** What is advised of table `measured` in `tables`, whose value is `v`. */
export async function advised(
  directory: string,
  tables: string,
  column: string,
  completeness: number,
  windowUs = WINDOW_US,
): Promise<WatermarkAdvice> {
  const project = {
    directory,
    dataDirectory: join(directory, '.millrace'),
    config: { data: '.millrace', workers: 1, http: {}, log: { level: 'silent' as const } },
    tables: [{ name: 'tables.sql', text: tables }],
    pipelines: [],
  }
  const ports = nodePorts()
  const measured = await measureTable(
    { project, table: 'measured', column },
    { ports, environment: {}, windowUs, futureBoundUs: 3_600_000_000, valueColumn: 'v' },
  )
  return judge(measured, { of: 'measured', column, completeness })
}

export interface Kept {
  readonly events: number
  readonly value: number
}

/** The shares of the rows of `measured`, and of their values, that a pipeline counts. */
export async function kept(
  directory: string,
  tables: string,
  window: string,
  time: string,
): Promise<Kept> {
  const folder = mkdtempSync(join(directory, 'counted-'))
  const counted = `CREATE TABLE counted (rows_counted BIGINT, worth DOUBLE)
    WITH ('connector' = 'filesystem', 'path' = '${folder}/rows', 'format' = 'json');`
  await using db = await open({ data: folder, directory, tables: `${tables}\n${counted}` })
  await using run = await db.run(
    `INSERT INTO counted SELECT COUNT(*), SUM(v)
     FROM TABLE(TUMBLE(TABLE measured, DESCRIPTOR(\`${time}\`), INTERVAL ${window}))
     GROUP BY window_start, window_end`,
    { until: 'end' },
  )
  await run.finished
  const { read, late } = run.status().conservation
  const [whole] = await db.query('SELECT SUM(v) AS worth FROM measured').rows()
  const [seen] = await db
    .query('SELECT SUM(rows_counted) AS n, SUM(worth) AS worth FROM counted')
    .rows()
  assert.equal(Number(seen!.n) + late, read)
  return { events: 1 - late / read, value: Number(seen!.worth) / Number(whole!.worth) }
}

/** Table `measured` over JSON lines in a file or a folder. */
export function tablesOver(folder: string, delay: string): string {
  return `CREATE TABLE measured (t BIGINT, v DOUBLE, happened_at AS TO_TIMESTAMP_LTZ(t, 3),
    WATERMARK FOR happened_at AS happened_at - ${delay})
    WITH ('connector' = 'filesystem', 'path' = '${folder}', 'format' = 'json');`
}

/** What was achieved is what was promised, or inside the interval that was told. */
export function within(achieved: number, { chosen }: WatermarkAdvice, what: string): void {
  const { completeness, interval } = chosen
  const isPromised = Math.abs(achieved - completeness) <= TOLERANCE
  const isInside = achieved >= interval.low && achieved <= interval.high
  assert.ok(isPromised || isInside, `${what}: ${achieved}, promised ${JSON.stringify(chosen)}`)
}
