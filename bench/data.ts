/** The events of a benchmark, made once per seed, size and layout, and kept below `.cache/bench`. */
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { openLog } from '../src/log/log.ts'
import { nodePorts } from '../src/ports/node/ports.ts'
import { NEXMARK_DEFAULTS, nexmarkValues } from './nexmark/generator.ts'
import type { Layout } from './nexmark/queries.ts'

export interface EventsRequest {
  readonly layout: Layout
  readonly events: number
  readonly seed: number
}

export const TOPIC = 'events'
/** Records of one append: the log makes batches of about 1 MiB of them. */
const APPEND_RECORDS = 1024

/** A data directory whose topic `events` holds them, in turn over the partitions. */
export async function eventsTopic(request: EventsRequest, partitions: number): Promise<string> {
  const directory = join(cacheDirectory(), `${nameOf(request)}-${partitions}`)
  if (existsSync(directory)) return directory
  const making = `${directory}.${process.pid}`
  const log = openLog({ ports: nodePorts(), dataDirectory: making, fsync: { kind: 'batch' } })
  await log.createTopic(TOPIC, { partitions })
  let appended = 0
  for (const values of chunks(request)) {
    const records = values.map((value) => ({ value: Buffer.from(value) }))
    await log.append(TOPIC, appended++ % partitions, records)
  }
  await log.close()
  return keep(making, directory)
}

/** A folder with one file of JSON lines, which an engine's filesystem connector reads. */
export async function eventsFile(request: EventsRequest): Promise<string> {
  const directory = join(cacheDirectory(), `${nameOf(request)}-lines`)
  if (existsSync(directory)) return directory
  const making = `${directory}.${process.pid}`
  mkdirSync(making, { recursive: true })
  const lines = chunks(request).map((values) => `${values.join('\n')}\n`)
  await pipeline(Readable.from(lines), createWriteStream(join(making, 'events.json')))
  return keep(making, directory)
}

function* chunks(request: EventsRequest): Generator<string[]> {
  const { layout, seed } = request
  const values = nexmarkValues({ ...NEXMARK_DEFAULTS, layout, seed })
  for (let left = request.events; left > 0; left -= APPEND_RECORDS) {
    const chunk: string[] = []
    while (chunk.length < Math.min(left, APPEND_RECORDS)) chunk.push(values.next().value!)
    yield chunk
  }
}

/** Half of it is never found: it gets its name when it is whole. */
function keep(making: string, directory: string): string {
  if (existsSync(directory)) rmSync(making, { recursive: true })
  else renameSync(making, directory)
  return directory
}

function nameOf({ layout, events, seed }: EventsRequest): string {
  return `${layout}-${events}-${seed}`
}

function cacheDirectory(): string {
  const directory = resolve(import.meta.dirname, '../.cache/bench')
  mkdirSync(directory, { recursive: true })
  return directory
}
