/** A table's source, opened and metered: where advice on watermarks meets connectors and compiled columns. */
import { type Measured, measureArrivals } from '../advise/watermark/measure.ts'
import { compileProjection } from '../compile/expression.ts'
import type { Polled } from '../connectors/contract/source.ts'
import type { Batch } from '../data/batch.ts'
import { LinearMemory } from '../data/memory.ts'
import { evaluationOf, type OperatorContext } from '../engine/evaluation.ts'
import type { PlanNode, Project as Projection, Scan } from '../plan/nodes.ts'
import { schemaOf } from '../plan/nodes.ts'
import type { Ports } from '../ports/ports.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { openSource } from '../run/open-tables.ts'
import { usageError } from './command.ts'
import { compileQuery } from './scripts.ts'
import { type MeasuredTable, quoted } from './watermark-target.ts'

export interface MeasureOptions {
  readonly ports: Ports
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly windowUs: number
  readonly futureBoundUs: number | undefined
  readonly valueColumn?: string
  readonly rowsMax?: number
}

/** Reads the table to where it ends now. @throws ProjectError, USAGE_INVALID, and what the source throws */
export async function measureTable(
  { project, table, column }: MeasuredTable,
  options: MeasureOptions,
): Promise<Measured> {
  const { ports, environment, windowUs, futureBoundUs, valueColumn } = options
  const value = valueColumn === undefined ? '' : `, CAST(${quoted(valueColumn)} AS DOUBLE)`
  const sql = `SELECT ${quoted(column)}${value} FROM ${quoted(table)}`
  const { query, schema } = await compileQuery(project, sql)
  requireTime(schema[0]!.type.kind, table, column)
  const { scan, projections } = readingOf(query, table)
  const memory = new LinearMemory()
  const nowUs = ports.clock.nowMs() * 1000
  const dead = { count: 0 }
  const columnsOf = compiledColumns(memory, projections, nowUs, dead)
  const { dataDirectory, directory: baseDirectory } = project
  const opening = { connectors: CONNECTORS, ports, dataDirectory, baseDirectory, environment }
  const source = await openSource(scan, opening)
  try {
    const measured = await measureArrivals({
      source,
      memory,
      windowUs,
      futureBoundUs,
      ...(options.rowsMax !== undefined && { rowsMax: options.rowsMax }),
      nowUs,
      pause: (ms) => ports.clock.sleep(ms),
      columnsOf(polled) {
        const { columns, selection, count } = columnsOf(polled)
        return {
          time: columns[0]!,
          ...(columns[1] && { value: columns[1] }),
          selection,
          count,
        }
      },
      worthOf(vector, row) {
        const isValid =
          vector.validity === 0 ||
          ((memory.u8[vector.validity + (row >> 3)]! >> (row & 7)) & 1) === 1
        const worth = isValid ? memory.f64[vector.cells / 8 + row]! : 0
        return Number.isFinite(worth) ? worth : 0
      },
    })
    return { ...measured, unusable: measured.unusable + dead.count }
  } finally {
    await source.close()
  }
}

/** The scan beneath the columns, and the projections over it, lowest first. */
function readingOf(
  query: PlanNode,
  table: string,
): { readonly scan: Scan; readonly projections: readonly Projection[] } {
  const projections: Projection[] = []
  for (let node = query; ; ) {
    if (node.kind === 'scan') return { scan: node, projections }
    if (node.kind === 'project') projections.unshift(node)
    else if (node.kind !== 'watermark-assigner')
      throw usageError(
        `${table} is more than a table that is read as it is`,
        'measure the tables that it is made of',
      )
    node = node.input
  }
}

function compiledColumns(
  memory: LinearMemory,
  projections: readonly Projection[],
  nowUs: number,
  dead: { count: number },
): (polled: Polled) => Batch {
  const context: OperatorContext = {
    node: 'measured',
    memory,
    settings: { timeZone: 'UTC', overflow: 'wrap' },
    side: {
      dead: () => {
        dead.count++
      },
      late: () => {},
    },
    nowUs: () => BigInt(nowUs),
    count: () => {},
  }
  const steps = projections.map(({ input, expressions }) => ({
    evaluation: evaluationOf(context, schemaOf(input)),
    compiled: compileProjection(expressions, { memory }),
  }))
  return ({ batch: given }) => {
    let batch = given
    for (const { evaluation, compiled } of steps) {
      const frame = evaluation.frameOf(batch)
      const columns = compiled.map((expression) => expression.evaluate(frame))
      batch = { ...evaluation.withoutFailed(batch), columns }
    }
    return batch
  }
}

function requireTime(kind: string, table: string, column: string): void {
  if (kind === 'timestamp' || kind === 'timestamp_ltz') return
  throw usageError(
    `column ${column} of ${table} is no time`,
    'name a TIMESTAMP or TIMESTAMP_LTZ column; a computed one does: event_time AS TO_TIMESTAMP_LTZ(millis, 3)',
  )
}
