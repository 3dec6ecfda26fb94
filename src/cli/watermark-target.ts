/** What `millrace advise watermark` is asked to measure: a table of the project, a topic of its log, or a file or folder of JSON lines. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readPartition } from '../log/read-partition.ts'
import { listTopics } from '../log/topics.ts'
import { type PlanNode, schemaOf } from '../plan/nodes.ts'
import type { Ports } from '../ports/ports.ts'
import { usageError } from './command.ts'
import type { Io } from './io.ts'
import type { Project } from './project.ts'
import { checkProject, compileQuery } from './scripts.ts'

/** A table, of the project or made for a topic or file, with the column that is its event time. */
export interface MeasuredTable {
  readonly project: Project
  readonly table: string
  readonly column: string
  /** How the event time is declared, where the table was made for a topic or file. */
  readonly declared?: string
}

export interface TargetRequest {
  readonly io: Io
  readonly ports: Ports
  readonly project: Project
  readonly named: string
  /** As asked: --time. */
  readonly timeColumn?: string
  /** As asked: --value. A file's and topic's is read as DOUBLE. */
  readonly valueColumn?: string
}

const MADE = 'what is measured'
const HEAD_BYTES = 1 << 20

/** @throws USAGE_INVALID if there is no such thing, or no one event time in it; ProjectError */
export async function measuredTable(request: TargetRequest): Promise<MeasuredTable> {
  const { project, named, io, ports, timeColumn } = request
  const { tables } = await checkProject({ ...project, pipelines: [] })
  if (tables.some(({ name }) => name === named)) {
    const { query } = await compileQuery(project, `SELECT * FROM ${quoted(named)}`)
    return { project, table: named, column: timeColumn ?? timeOf(named, query) }
  }
  const path = resolve(io.directory, named)
  if (existsSync(path)) {
    const from = `'connector' = 'filesystem', 'path' = '${path.replaceAll("'", "''")}', 'format' = 'json'`
    return madeTable(request, firstLine(path), from)
  }
  if (listTopics(ports, project.dataDirectory).includes(named)) {
    const place = { ports, dataDirectory: project.dataDirectory, topic: named, partition: 0 }
    const [record] = readPartition(place, 0, 1)
    const text = record?.value ? new TextDecoder().decode(record.value) : ''
    return madeTable(request, text, `'connector' = 'log', 'topic' = '${named}', 'format' = 'json'`)
  }
  throw usageError(
    `there is no table, file or topic '${named}'`,
    `tables of the project: ${tables.map(({ name }) => name).join(', ') || 'none'}; name one, a file or folder of JSON lines, or a topic that \`millrace log list\` shows`,
  )
}

/** The column of the watermark, else the only one that is a time. */
function timeOf(table: string, query: PlanNode): string {
  for (let node = query; ; ) {
    if (node.kind === 'watermark-assigner') return schemaOf(node)[node.rowtime]!.name
    if (node.kind !== 'project') break
    node = node.input
  }
  const times = schemaOf(query).filter(({ type }) => /^timestamp/.test(type.kind))
  if (times.length === 1) return times[0]!.name
  throw usageError(
    `${table} has ${times.length} columns that are times, and no watermark that would choose one`,
    times.length === 0
      ? 'add a computed column: event_time AS TO_TIMESTAMP_LTZ(millis, 3)'
      : `choose one: --time ${times.map(({ name }) => name).join(', --time ')}`,
  )
}

function madeTable(request: TargetRequest, record: string, from: string): MeasuredTable {
  const { project, named, timeColumn, valueColumn } = request
  const fields = Object.entries(jsonObject(named, record))
  const times = fields.flatMap(([name, value]) => {
    const how = declaredTime(name, value)
    return how === undefined ? [] : [{ name, ...how }]
  })
  const [chosen, ...more] = times.filter(
    ({ name }) => timeColumn === undefined || name === timeColumn,
  )
  if (chosen === undefined || more.length > 0)
    throw usageError(
      chosen === undefined
        ? `the first event of ${named} has no time${timeColumn === undefined ? '' : ` in '${timeColumn}'`}`
        : `the first event of ${named} has ${times.length} times`,
      times.length === 0
        ? 'a time is an ISO date or milliseconds since 1970; else make a table of it with a computed column'
        : `choose one: --time ${times.map(({ name }) => name).join(', --time ')}`,
    )
  if (valueColumn !== undefined && !fields.some(([name]) => name === valueColumn))
    throw usageError(
      `the first event of ${named} has no '${valueColumn}'`,
      `--value is one of ${fields.map(([name]) => name).join(', ')}`,
    )
  const value = valueColumn === undefined ? '' : `, ${quoted(valueColumn)} DOUBLE`
  const text = `CREATE TABLE ${quoted(MADE)} (${chosen.columns}${value}) WITH (${from}${chosen.options});`
  const tables = [...project.tables, { name: named, text }]
  return {
    project: { ...project, tables },
    table: MADE,
    column: chosen.column,
    declared: chosen.columns,
  }
}

interface DeclaredTime {
  readonly columns: string
  /** The name of the column that is the event time. */
  readonly column: string
  readonly options: string
}

/** How a field of this value is declared as an event time; undefined if it is none. */
function declaredTime(name: string, value: unknown): DeclaredTime | undefined {
  const column = quoted(name)
  if (typeof value === 'number') {
    // From 1990 to 2100, in seconds, milliseconds or microseconds.
    const scale = [1, 1e3, 1e6].find((each) => value >= 6.3e8 * each && value < 4.1e9 * each)
    if (scale === undefined || !Number.isInteger(value)) return undefined
    const millis = scale === 1 ? `${column} * 1000` : scale === 1e6 ? `${column} / 1000` : column
    const time = `TO_TIMESTAMP_LTZ(${millis}, 3)`
    return {
      columns: `${column} BIGINT, ${quoted(`${name}_time`)} AS ${time}`,
      column: `${name}_time`,
      options: '',
    }
  }
  if (typeof value !== 'string') return undefined
  const match = /^\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(value)
  if (match === null) return undefined
  const type = match[4] === undefined ? 'TIMESTAMP(6)' : 'TIMESTAMP_LTZ(6)'
  const options = match[1] === 'T' ? ", 'json.timestamp-format.standard' = 'ISO-8601'" : ''
  return { columns: `${column} ${type}`, column: name, options }
}

function jsonObject(named: string, text: string): object {
  try {
    const event: unknown = JSON.parse(text)
    if (typeof event === 'object' && event !== null) return event
  } catch {}
  throw usageError(
    `the first event of ${named} is no JSON object`,
    'make a table of it in tables/ that says its format, and name that',
  )
}

/** Of a file, or of the first file that a folder has for its readers. */
function firstLine(path: string): string {
  if (statSync(path).isDirectory()) {
    const [name] = readdirSync(path)
      .filter((each) => !/^[._]/.test(each))
      .sort()
    return name === undefined ? '' : firstLine(join(path, name))
  }
  const handle = openSync(path, 'r')
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    const bytes = readSync(handle, head, 0, HEAD_BYTES, 0)
    return head.toString('utf8', 0, bytes).split('\n', 1)[0]!
  } finally {
    closeSync(handle)
  }
}

export function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}
