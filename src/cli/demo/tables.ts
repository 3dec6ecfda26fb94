/** Reads what both programs wrote, by readers that share no code with them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPartition } from '../../log/read-partition.ts'
import { describeTopic } from '../../log/topics.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { TABLE_PATH } from './demo-project.ts'
import { readDeltaIndependently } from './independent-reader.ts'
import type { RevenueRow, Routed } from './reconcile.ts'

/** The Delta table's rows, by JSON.parse of its log and hyparquet. */
export async function readMillraceTable(directory: string): Promise<RevenueRow[]> {
  const rows: RevenueRow[] = []
  for await (const row of readDeltaIndependently(join(directory, TABLE_PATH))) {
    rows.push({
      shop: String(row.shop),
      minute: minuteText(row.window_start),
      orders: Number(row.orders),
      cents: Math.round(Number(row.revenue) * 100),
    })
  }
  return rows
}

/** Its lines as they are; money that is no number counts as none. */
export function readNaiveTable(directory: string): RevenueRow[] {
  const path = join(directory, 'naive', 'revenue.jsonl')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { shop, minute, orders, revenue } = JSON.parse(line)
      const cents = typeof revenue === 'number' ? Math.round(revenue * 100) : 0
      return { shop, minute: String(minute).replace('T', ' '), orders, cents }
    })
}

const RECORDS_MAX = 1_000_000

/** Ids of the orders that were routed aside, and how many rows of no order went to dead. */
export function readRouted(dataDirectory: string): Routed & { readonly poison: number } {
  const late = sideRows(dataDirectory, 'revenue.late').map(({ row }) => String(idIn(String(row))))
  const dead = sideRows(dataDirectory, 'revenue.dead')
  const ahead = dead.filter(({ reason }) => String(reason).includes('ahead'))
  return {
    late,
    dead: ahead.map(({ bytes }) => String(idIn(Buffer.from(String(bytes), 'base64').toString()))),
    poison: dead.length - ahead.length,
  }
}

function sideRows(dataDirectory: string, topic: string): Record<string, unknown>[] {
  const ports = nodePorts()
  const described = describeTopic(ports, dataDirectory, topic)
  if (described === undefined) return []
  const rows: Record<string, unknown>[] = []
  for (let partition = 0; partition < described.partitions; partition++) {
    const place = { ports, dataDirectory, topic, partition }
    for (const { value } of readPartition(place, 0, RECORDS_MAX)) {
      if (value !== null) rows.push(JSON.parse(Buffer.from(value).toString()))
    }
  }
  return rows
}

function idIn(line: string): string | undefined {
  return /"id":"([^"]+)"/.exec(line)?.[1]
}

function minuteText(value: unknown): string {
  const text = value instanceof Date ? value.toISOString() : String(value)
  return text.slice(0, 16).replace('T', ' ')
}
