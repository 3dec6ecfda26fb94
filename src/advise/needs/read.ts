/** Needs from text: shape, then figures and defaults, then what can't be meant; every finding at its place. */
import type { Book } from '../cost/book.ts'
import { doubtsOf } from './doubts.ts'
import type { NeedsFinding } from './findings.ts'
import { type Located, locate, type Path } from './located.ts'
import type { Availability, Context, Needs, Output } from './needs.ts'
import { amountIn, bytesIn, MEASURED, MEASURED_BY, perSecondIn, secondsIn } from './quantities.ts'
import { type Nearest, refusalsOf } from './refusals.ts'
import { type NeedsText, needsShape, type OutputText } from './shape.ts'

const CODE = 'NEEDS_INVALID'

/** What a topic shows of itself. */
export interface Measured {
  /** Events a second, and in the busiest minute. */
  readonly rate: number
  readonly peak: number
  /** Of an event, in the mean. */
  readonly bytes: number
  /** From the oldest event to the newest. */
  readonly historyDays: number
  /** Behind the newest event of their split, 99.9 % of events at most; only if a field was named. */
  readonly latenessSeconds?: number
  /** An event for each key, if the field of one was named. */
  readonly stateBytes?: number
  /** What was looked at, in a sentence. */
  readonly sample: string
}

/** A field of the events: the time by which they are late, or the key that something is remembered for. */
export interface MeasuredField {
  readonly name: string
  readonly is: 'time' | 'key'
}

/** @throws MillraceError if there is no such topic */
export type Measure = (topic: string, field?: MeasuredField) => Measured

export interface ReadNeeds {
  /** Absent where a finding is an error. */
  readonly needs?: Needs
  readonly findings: readonly NeedsFinding[]
}

export interface ReadOptions {
  readonly book: Book
  readonly nearest: Nearest
  readonly measure: Measure
}

/** Reads `text` of `file`, YAML or JSON. */
export function readNeeds(file: string, text: string, options: ReadOptions): ReadNeeds {
  const { located, findings } = locate(file, text, CODE)
  if (located === undefined) return { findings }
  const parsed = needsShape.safeParse(located.value)
  if (!parsed.success)
    return {
      findings: refusalsOf(located, parsed.error.issues, CODE, knownFields, options.nearest),
    }
  const needs = resolved(parsed.data, located, options)
  const doubts = doubtsOf(located, CODE, needs.context, needs.outputs)
  const isRefused = doubts.some(({ severity }) => severity === 'error')
  return isRefused ? { findings: doubts } : { needs, findings: doubts }
}

function knownFields(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(needsShape.shape)
  const { context, outputs } = needsShape.shape
  if (path[0] === 'outputs') return Object.keys(outputs.element.shape)
  if (path[1] === 'operations') return Object.keys(context.shape.operations.unwrap().shape)
  if (path[1] === 'availability') return Object.keys(context.shape.availability.unwrap().shape)
  return Object.keys(context.shape)
}

function resolved(text: NeedsText, located: Located, options: ReadOptions): Needs {
  const assumptions: string[] = []
  const assume = (sentence: string) => assumptions.push(sentence)
  const outputs = text.outputs.map((output) => outputOf(output, options, assume))
  return {
    name: text.name ?? located.file.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, ''),
    context: contextOf(text.context, options.book, assume),
    outputs,
    assumptions,
  }
}

function contextOf(
  text: NeedsText['context'],
  book: Book,
  assume: (sentence: string) => void,
): Context {
  const { operations, budget, tableFormat } = text
  const price = operations?.price
  if (price === undefined)
    assume(
      `an operating hour costs ${book.limit('operations-price')} USD (context.operations.price)`,
    )
  return {
    clouds: text.clouds,
    regions: text.regions ?? [],
    compliance: text.compliance ?? [],
    platforms: text.platforms ?? [],
    engines: text.engines ?? [],
    readers: text.readers ?? [],
    skills: text.skills ?? [],
    batchLayer: text.batchLayer ?? 'none',
    newSystems: text.newSystems ?? 'allowed',
    operatingHourPrice: price === undefined ? book.limit('operations-price') : amountIn(price),
    availability: availabilityOf(text.availability, book, assume),
    ...(tableFormat === undefined ? {} : { tableFormat }),
    ...(operations?.hours === undefined ? {} : { operatingHours: amountIn(operations.hours) }),
    ...(budget === undefined ? {} : { budget: amountIn(budget) }),
  }
}

function availabilityOf(
  text: NeedsText['context']['availability'],
  book: Book,
  assume: (sentence: string) => void,
): Availability {
  const rto = text?.rto
  if (text?.survives === undefined)
    assume('what runs continuously survives the loss of a machine (context.availability.survives)')
  if (rto === undefined) assume('it is back within an hour (context.availability.rto)')
  if (text?.rpo === undefined) assume('no event may be lost (context.availability.rpo)')
  return {
    survives: text?.survives ?? 'machine',
    rtoSeconds: rto === undefined ? book.limit('continuous-availability-rto') : secondsIn(rto),
    rpoSeconds: text?.rpo === undefined ? 0 : secondsIn(text.rpo),
  }
}

function outputOf(
  text: OutputText,
  { book, measure }: ReadOptions,
  assume: (sentence: string) => void,
): Output {
  const { name, what, lossIfOneHourOld: loss } = text
  const measured = (what: string, topic: string, field?: MeasuredField) => {
    const found = measure(topic, field)
    assume(`${what} of ${name} is measured: ${found.sample}`)
    return found
  }
  const figure =
    (field: 'rate' | 'peak' | 'bytes' | 'historyDays', read: (text: string) => number) =>
    (written: string): number => {
      const topic = MEASURED.exec(written)?.[1]
      return topic === undefined
        ? read(written)
        : measured(field === 'historyDays' ? 'history' : field, topic)[field]
    }
  const lateness = (written: string): number => {
    const [, topic, field] = MEASURED_BY.exec(written) ?? []
    if (topic === undefined) return secondsIn(written)
    return measured('lateness', topic, { name: field!, is: 'time' }).latenessSeconds ?? 0
  }
  const state = (written: string): number => {
    const [, topic, field] = MEASURED_BY.exec(written) ?? []
    if (topic === undefined) return bytesIn(written)
    return measured('state', topic, { name: field!, is: 'key' }).stateBytes ?? 0
  }
  const rate = figure('rate', perSecondIn)(text.rate)
  const factor = book.limit('peak-factor')
  if (text.peak === undefined) assume(`the peak of ${name} is ${factor} times its mean`)
  if (text.state === undefined) assume(`the state of ${name} is small: none is counted`)
  if (text.history === undefined)
    assume(`${name} is never computed anew for more than ${book.limit('retention-least')} days`)
  if (text.lateness === undefined)
    assume(
      `how late events of ${name} come is not known: write \`lateness: measured from TOPIC by FIELD\``,
    )
  return {
    name,
    what,
    actor: text.actor,
    ifOneHourOld: text.ifOneHourOld,
    consequence: text.consequence,
    freshnessSeconds: secondsIn(text.freshness),
    from: text.from ?? name,
    rate,
    peak: text.peak === undefined ? rate * factor : figure('peak', perSecondIn)(text.peak),
    bytes: figure('bytes', bytesIn)(text.bytes),
    historyDays:
      text.history === undefined
        ? book.limit('retention-least')
        : figure('historyDays', (written) => secondsIn(written) / 86_400)(text.history),
    latenessSeconds: text.lateness === undefined ? 0 : lateness(text.lateness),
    stateBytes: text.state === undefined ? 0 : state(text.state),
    correctness: text.correctness ?? 'exactly-once',
    delivers: text.delivers ?? (TABLES.has(what) ? 'table' : 'service'),
    ...(loss === undefined ? {} : { lossIfOneHourOld: amountIn(loss) }),
  }
}

const TABLES = new Set<Output['what']>(['dashboard', 'report', 'extract'])
