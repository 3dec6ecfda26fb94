/**
 * The stream processor that a team writes in an afternoon: follow a file, count revenue by shop and minute, insert each minute
 * when the one after it is over.
 * It is here to be compared with: `millrace demo` runs it beside a pipeline, on the same events, through the same crash.
 *
 *   node examples/naive.ts events.jsonl revenue.jsonl offset.json
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'

const [events, table, offsetFile] = process.argv.slice(2) as [string, string, string]
const minutes = new Map<string, { shop: string; minute: string; orders: number; revenue: number }>()
let offset = existsSync(offsetFile) ? Number(readFileSync(offsetFile, 'utf8')) : 0
let latest = ''
let over = ''

function handle(line: string): void {
  const order = JSON.parse(line)
  const minute = order.placed_at.slice(0, 16)
  if (minute < over) return // inserted already
  const key = `${order.shop} ${minute}`
  const entry = minutes.get(key) ?? { shop: order.shop, minute, orders: 0, revenue: 0 }
  entry.orders += 1
  entry.revenue += order.amount
  minutes.set(key, entry)
  if (minute > latest) {
    latest = minute
    over = new Date(Date.parse(`${latest}Z`) - 60_000).toISOString().slice(0, 16)
    insertBefore(over)
  }
}

function insertBefore(minute: string): void {
  for (const [key, entry] of minutes) {
    if (entry.minute >= minute) continue
    appendFileSync(table, `${JSON.stringify(entry)}\n`)
    minutes.delete(key)
  }
}

for (const line of readFileSync(events, 'utf8').slice(offset).split('\n').slice(0, -1)) {
  try {
    handle(line)
  } catch {
    console.error('skipped a bad line')
  }
  offset += line.length + 1
  if (offset % 1000 < line.length) writeFileSync(offsetFile, String(offset))
}
insertBefore('9999')
writeFileSync(offsetFile, String(offset))
