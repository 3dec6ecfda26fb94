/**
 * JSON lines to records for the log: what is good goes on, what is not is told with its line.
 *
 * The value is the line as it was written, byte for byte; key, event time and event id are read from its fields.
 */
import type { Readable } from 'node:stream'
import type { ProducedRecord } from '../serve/protocol.ts'

/** Longer lines are bad ones, told and skipped without being kept. */
export const LINE_BYTES_MAX = 16 << 20

export interface LineFields {
  readonly key?: string
  readonly eventTime?: string
  readonly eventId?: string
  /** Lines are numbered under it: each line's event id, where no field holds one. */
  readonly batchId?: string
}

export type Line =
  | {
      readonly kind: 'record'
      readonly line: number
      readonly record: ProducedRecord
      readonly bytes: number
    }
  | { readonly kind: 'bad'; readonly line: number; readonly reason: string }

const NEWLINE = 10

/** All lines of `input`, in order, those that came together together; empty ones are none. Numbers start at 1. */
export async function* readLines(
  input: Readable,
  fields: LineFields,
): AsyncGenerator<readonly Line[]> {
  let parts: Buffer[] = []
  let held = 0
  let line = 0
  const finish = (): Line | undefined => {
    line++
    const told =
      held > LINE_BYTES_MAX
        ? bad(line, `it is longer than ${LINE_BYTES_MAX >> 20} MB`)
        : lineOf(Buffer.concat(parts), line, fields)
    parts = []
    held = 0
    return told
  }
  for await (const chunk of input as AsyncIterable<Buffer>) {
    const lines: Line[] = []
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      const part = chunk.subarray(start, end < 0 ? chunk.length : end)
      held += part.length
      // The rest of a line that is too long is counted, not kept.
      if (held <= LINE_BYTES_MAX) parts.push(part)
      if (end < 0) break
      const told = finish()
      if (told !== undefined) lines.push(told)
      start = end + 1
    }
    yield lines
  }
  if (held === 0) return
  const told = finish()
  if (told !== undefined) yield [told]
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

function lineOf(bytes: Buffer, line: number, fields: LineFields): Line | undefined {
  let text: string
  try {
    text = utf8.decode(bytes).trim()
  } catch {
    return bad(line, 'it is no valid UTF-8')
  }
  if (text === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return bad(line, `it is no JSON: ${error instanceof Error ? error.message : error}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad(line, 'it is no JSON object')
  const read = readFields(text, value as Readonly<Record<string, unknown>>, line, fields)
  return typeof read === 'string'
    ? bad(line, read)
    : { kind: 'record', line, record: { value: text, ...read }, bytes: bytes.length }
}

/** The record's parts, or the reason why there are none. */
function readFields(
  text: string,
  value: Readonly<Record<string, unknown>>,
  line: number,
  fields: LineFields,
): Omit<ProducedRecord, 'value'> | string {
  const out: { key?: string; eventTimeMs?: number; eventId?: string } = {}
  if (fields.key !== undefined) {
    const key = fieldText(text, value, fields.key)
    if (key === undefined) return `it has no field '${fields.key}' for its key`
    out.key = key
  }
  if (fields.eventId !== undefined) {
    const id = fieldText(text, value, fields.eventId)
    if (id === undefined) return `it has no field '${fields.eventId}' for its event id`
    out.eventId = id
  } else if (fields.batchId !== undefined) out.eventId = `${fields.batchId}:${line}`
  if (fields.eventTime !== undefined) {
    const time = timeOf(ownField(value, fields.eventTime))
    if (time === undefined) return `its field '${fields.eventTime}' is no time`
    out.eventTimeMs = time
  }
  return out
}

function ownField(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined
}

/** Text as it is; everything else as its JSON, numbers with the digits they were written with. NULL is missing. */
function fieldText(
  text: string,
  value: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const field = ownField(value, name)
  if (field === undefined || field === null) return undefined
  if (typeof field === 'string') return field
  if (typeof field === 'number' && !Number.isSafeInteger(field)) return numberText(text, name)
  return JSON.stringify(field)
}

/** JSON.parse rounds beyond 2^53: the source of the number is told only to a reviver. */
function numberText(text: string, name: string): string {
  let told = ''
  let depth: unknown
  const parsed: unknown = JSON.parse(
    text,
    function (this: unknown, key, value, context?: { source?: string }) {
      if (key === name && context?.source !== undefined) {
        told = context.source
        depth = this
      }
      return value
    },
  )
  // Children are revived before their parents, so the root's own field is the last of that name.
  return depth === parsed ? told : JSON.stringify((parsed as Record<string, unknown>)[name])
}

/** ms since the epoch; text as ISO 8601 or SQL writes it, UTC where it names no zone. */
function timeOf(field: unknown): number | undefined {
  if (typeof field === 'number') return Number.isFinite(field) ? Math.floor(field) : undefined
  if (typeof field !== 'string') return undefined
  const match =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(field)
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}T${match[2]!.slice(0, 12)}${match[3] ?? 'Z'}`)
  return Number.isNaN(ms) ? undefined : ms
}

function bad(line: number, reason: string): Line {
  return { kind: 'bad', line, reason }
}
