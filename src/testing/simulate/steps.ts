/**
 * What befalls a simulated pipeline, step by step, as lines of JSON that replay it:
 *
 *   {"seed":7,"workers":2,"rowsMax":50}                  first, if at all: Circumstances
 *   {"table":"orders","event":{"id":1}}                 an event arrives; "split": in that split; "kind": "-D"; "appended": epoch ms
 *   {"table":"orders","text":"{oops"}                    bytes as they come
 *   {"checkpoint":true}                                  one is taken
 *   {"crash":"power","at":"manifest-renamed","nth":2}    the process dies where it passes that fault point; without "at": now
 *   {"restart":3}                                        it stops, and goes on with so many workers; a crash has "workers" for that
 *
 * The order of lines is the order of arrival. "other" of an event is its place in another order, which must give the same table.
 * An object without any of these is an event of the one table that the pipeline reads, and so is a line that is no JSON.
 */
import type { RowKindText } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'

export type Step = Arrival | Crash | { readonly kind: 'checkpoint' } | Restart

export interface Arrival {
  readonly kind: 'event'
  readonly table: string
  readonly split: number
  readonly change: RowKindText
  /** The row as JSON, good or not. */
  readonly text: string
  /** When the outside took it in; absent: it does not say. */
  readonly appendMs?: number
  /** Its place in another order. */
  readonly other?: number
}

export interface Crash {
  readonly kind: 'crash'
  readonly how: 'kill' | 'power'
  /** A fault point; absent: at once. */
  readonly at?: string
  /** How often it is passed until then, from 1. */
  readonly nth?: number
  /** Of the life after it. */
  readonly workers?: number
}

export interface Restart {
  readonly kind: 'restart'
  readonly workers: number
}

/** What decides all that steps do not say. */
export interface Circumstances {
  /** Which worker comes next, and what a power cut keeps. */
  readonly seed: number
  readonly workers: number
  /** Rows read at once. */
  readonly rowsMax: number
  /** Of the rings between workers: a power of two. */
  readonly ringBytes: number
  /** Events of a split that follow each other may be there at once. */
  readonly gathers: boolean
}

/** Every row comes alone. */
export const CALM: Omit<Circumstances, 'seed'> = {
  workers: 1,
  rowsMax: 1,
  ringBytes: 4096,
  gathers: false,
}

export interface History {
  readonly steps: readonly Step[]
  readonly circumstances: Circumstances
}

/** What a file holds. */
export interface Captured {
  readonly steps: readonly Step[]
  readonly circumstances?: Partial<Circumstances>
}

const KINDS: readonly string[] = ['+I', '-U', '+U', '-D'] satisfies readonly RowKindText[]
const SPLITS_MAX = 64

export function isArrival(step: Step): step is Arrival {
  return step.kind === 'event'
}

/** What `text` lists. @throws TEST_INVALID with the line */
export function parseSteps(file: string, text: string, tables: readonly string[]): Captured {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ line, place: `${file}:${index + 1}` }))
    .filter(({ line }) => line.trim() !== '')
  const first = parsed(lines[0]?.line ?? '')
  const circumstances =
    isObject(first) && 'seed' in first && 'rowsMax' in first ? circumstancesOf(first) : undefined
  const steps = (circumstances === undefined ? lines : lines.slice(1)).map(({ line, place }) =>
    stepOf(line, place, tables),
  )
  return { steps, ...(circumstances === undefined ? {} : { circumstances }) }
}

/** Lines that `parseSteps` reads. */
export function historyText({ steps, circumstances }: History): string {
  return [JSON.stringify(circumstances), ...steps.map(stepText), ''].join('\n')
}

function circumstancesOf(found: Readonly<Record<string, unknown>>): Partial<Circumstances> {
  const { seed, workers, rowsMax, ringBytes, gathers } = found
  return {
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(isCount(workers, 64) ? { workers } : {}),
    ...(isCount(rowsMax, 1e6) ? { rowsMax } : {}),
    ...(isCount(ringBytes, 1 << 20) ? { ringBytes } : {}),
    ...(typeof gathers === 'boolean' ? { gathers } : {}),
  }
}

export function stepText(step: Step): string {
  switch (step.kind) {
    case 'checkpoint':
      return '{"checkpoint":true}'
    case 'restart':
      return JSON.stringify({ restart: step.workers })
    case 'crash': {
      const { how, at, nth, workers } = step
      return JSON.stringify({ crash: how, at, nth, workers })
    }
    case 'event': {
      const { table, split, change, text, appendMs, other } = step
      const event = parsed(text)
      const isText = event === undefined || JSON.stringify(event) !== text
      return JSON.stringify({
        table,
        ...(split === 0 ? {} : { split }),
        ...(change === '+I' ? {} : { kind: change }),
        ...(isText ? { text } : { event }),
        ...(appendMs === undefined ? {} : { appended: appendMs }),
        ...(other === undefined ? {} : { other }),
      })
    }
  }
}

function stepOf(line: string, place: string, tables: readonly string[]): Step {
  const found = parsed(line)
  if (!isObject(found)) return bareEvent(line, place, tables)
  if (found.checkpoint === true) return { kind: 'checkpoint' }
  if (isCount(found.restart, 64)) return { kind: 'restart', workers: found.restart }
  if (found.crash === 'kill' || found.crash === 'power') {
    return {
      kind: 'crash',
      how: found.crash,
      ...(typeof found.at === 'string' ? { at: found.at } : {}),
      ...(isCount(found.nth, 1e6) ? { nth: found.nth } : {}),
      ...(isCount(found.workers, 64) ? { workers: found.workers } : {}),
    }
  }
  const isTold = typeof found.table === 'string' && ('event' in found || 'text' in found)
  return isTold ? toldEvent(found, place, tables) : bareEvent(line, place, tables)
}

function toldEvent(
  found: Readonly<Record<string, unknown>>,
  place: string,
  tables: readonly string[],
): Arrival {
  const { table, split = 0, kind = '+I', event, text, appended, other } = found
  const known = tables.find((name) => name === table)
  if (known === undefined) {
    throw invalid(place, `nothing reads table ${table}`, `the pipeline reads ${tables.join(', ')}`)
  }
  if (typeof split !== 'number' || !Number.isInteger(split) || split < 0 || split >= SPLITS_MAX)
    throw invalid(place, `${split} is no split`, `splits are 0 to ${SPLITS_MAX - 1}`)
  if (!isKind(kind)) throw invalid(place, `${kind} is no kind of row`, `say ${KINDS.join(', ')}`)
  return {
    kind: 'event',
    table: known,
    split,
    change: kind,
    text: typeof text === 'string' ? text : JSON.stringify(event),
    ...(typeof appended === 'number' ? { appendMs: appended } : {}),
    ...(typeof other === 'number' ? { other } : {}),
  }
}

function bareEvent(text: string, place: string, tables: readonly string[]): Arrival {
  const [table, ...more] = tables
  if (table !== undefined && more.length === 0)
    return { kind: 'event', table, split: 0, change: '+I', text }
  throw invalid(
    place,
    `it does not say which of ${tables.join(', ')} the event is for`,
    `write {"table":"${table ?? 't'}","event":{...}}`,
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
}

function isKind(value: unknown): value is RowKindText {
  return typeof value === 'string' && KINDS.includes(value)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function invalid(place: string, what: string, hint: string): MillraceError {
  return new MillraceError('TEST_INVALID', {
    message: `${place}: ${what}`,
    hint,
    facts: { place },
  })
}
