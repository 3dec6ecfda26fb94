/**
 * How long an answer takes: `npm run bench:ask -- [--seconds 20] [--rate 1000] [--http] [--json FILE]`.
 *
 * Events are asked evenly, `rate` a second, whatever the answers before took; each is fsynced (in groups, `--fsync batch`) before its
 * row is awaited. Measured is from the time at which the event was due to its answer: where asking falls behind, that shows. Answers
 * are counted: of each item's orders the first is accepted. With `--http` events go through `POST /asks/NAME`, over up to 256 connections that
 * stay open, from a process of its own.
 *
 * Said besides is what the machine alone gives in the seconds before: a line of an event's length appended and synced, one after
 * another by a process that does nothing else. No answer can be faster than that; where its p99 is long, so is an answer's.
 */
import { type ChildProcess, fork } from 'node:child_process'
import {
  closeSync,
  cpSync,
  fdatasync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { open } from '../src/index.ts'
import { start } from '../test/cli/process.ts'

const ITEMS = 500
/** Answers of the first seconds are not counted: compilers are still at work. */
const WARM_MS = 3000
const MACHINE_MS = 3000
/** About what an event takes in the log. */
const LINE_BYTES = 200
const EXAMPLE = join(import.meta.dirname, '../examples/answers/stock')

const TABLES = `CREATE TABLE orders (order_id STRING, item STRING, came AS PROCTIME())
  WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json')`
const QUERY = `SELECT order_id, item, number = 1 AS accepted FROM (SELECT order_id, item, COUNT(*) OVER (
  PARTITION BY item ORDER BY came ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number FROM orders)`

type Ask = (id: string, item: string) => Promise<boolean>

interface Load {
  readonly rate: number
  readonly seconds: number
}

/** In milliseconds, without the first seconds. */
interface Answered extends Spread {
  readonly asked: number
  readonly accepted: number
  readonly perSecond: number
}

/** Asks evenly, and waits for the last answers. */
async function load(ask: Ask, { rate, seconds }: Load): Promise<Answered> {
  const tookMs: number[] = []
  const asking: Promise<void>[] = []
  let accepted = 0
  const startMs = performance.now()
  const one = async (index: number, dueMs: number): Promise<void> => {
    if (await ask(`o${index}`, `item ${index % ITEMS}`)) accepted++
    if (dueMs - startMs >= WARM_MS) tookMs.push(performance.now() - dueMs)
  }
  while (performance.now() - startMs < seconds * 1000) {
    const due = Math.floor(((performance.now() - startMs) / 1000) * rate)
    while (asking.length < due)
      asking.push(one(asking.length, startMs + ((asking.length + 1) * 1000) / rate))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(asking)
  const forMs = performance.now() - startMs
  const perSecond = Math.round((asking.length / forMs) * 1000)
  return { asked: asking.length, accepted, perSecond, ...spread(tookMs) }
}

interface Spread {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** To a tenth of a millisecond. */
function spread(tookMs: readonly number[]): Spread {
  const sorted = tookMs.toSorted((left, right) => left - right)
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]! * 10) / 10
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Where the log would be: a line appended and synced, for `MACHINE_MS`. */
async function machine(): Promise<Spread> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-ask-'))
  const file = openSync(join(directory, 'lines'), 'w')
  const line = Buffer.alloc(LINE_BYTES, 'x')
  const tookMs: number[] = []
  const endMs = performance.now() + MACHINE_MS
  while (performance.now() < endMs) {
    const startMs = performance.now()
    writeSync(file, line)
    await promisify(fdatasync)(file)
    tookMs.push(performance.now() - startMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  closeSync(file)
  rmSync(directory, { recursive: true })
  return spread(tookMs)
}

async function inLibrary(asked: Load): Promise<Answered> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-ask-'))
  const db = await open({ data: directory, tables: TABLES })
  try {
    const asking = await db.asking(QUERY, { topic: 'orders', id: 'order_id' })
    const ask: Ask = async (id, item) => (await asking.ask({ item }, { id })).accepted === true
    return await load(ask, asked)
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
}

async function overHttp(asked: Load): Promise<Answered> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-ask-'))
  cpSync(EXAMPLE, directory, { recursive: true })
  const items = Array.from({ length: ITEMS }, (_, item) => `{"item":"item ${item}","pieces":1}\n`)
  writeFileSync(join(directory, 'stock.jsonl'), items.join(''))
  const server = start(directory, ['run', '--http', '127.0.0.1:0'])
  try {
    await server.until(/serving \S+/)
    const url = /serving (\S+)/.exec(server.said())![1]!
    while ((await fetch(`${url}/readyz`)).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 50))
    return await told(fork(import.meta.filename, ['client', url, JSON.stringify(asked)]))
  } finally {
    server.child.kill('SIGKILL')
    await server.ended
    rmSync(directory, { recursive: true })
  }
}

function told(client: ChildProcess): Promise<Answered> {
  return new Promise((resolve, reject) => {
    client.once('message', (answered) => resolve(answered as Answered))
    client.once('exit', (code) => reject(new Error(`the client ended with ${code}`)))
  })
}

/** In a process of its own: its work is not the server's. */
async function client(url: string, asked: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const ask: Ask = (id, item) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': id }
      const sent = request(`${url}/asks/reservations`, { method: 'POST', agent, headers })
      sent.once('error', reject)
      sent.once('response', async (answer) => {
        let body = ''
        for await (const bytes of answer) body += bytes
        if (answer.statusCode === 200) resolve(JSON.parse(body).accepted)
        else reject(new Error(`${answer.statusCode}: ${body}`))
      })
      sent.end(JSON.stringify({ item }))
    })
  process.send!(await load(ask, asked))
  agent.destroy()
}

if (process.argv[2] === 'client') {
  await client(process.argv[3]!, JSON.parse(process.argv[4]!))
  process.disconnect()
} else {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      rate: { type: 'string', default: '1000' },
      http: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  const asked = { seconds: Number(values.seconds), rate: Number(values.rate) }
  const alone = await machine()
  const answered = await (values.http ? overHttp(asked) : inLibrary(asked))
  const { perSecond, p50, p99, max, accepted } = answered
  console.log(
    `${values.http ? 'over HTTP' : 'in the library'}: ${perSecond} asks/s, p50 ${p50} ms, p99 ${p99} ms, at most ${max} ms; ${accepted} of ${ITEMS} items given`,
  )
  console.log(
    `the machine alone, append and sync: p50 ${alone.p50} ms, p99 ${alone.p99} ms, at most ${alone.max} ms`,
  )
  if (accepted !== ITEMS) throw new Error('an item was given twice, or not at all')
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify({ ...answered, machine: alone }))
}
