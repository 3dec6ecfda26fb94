/** What the shape refuses, as people read it: the field, what stands there, and what to write instead. */
import type { z } from 'zod'
import { findingAt, type NeedsFinding } from './findings.ts'
import type { Located, Path } from './located.ts'

export type Nearest = (written: string, known: readonly string[]) => string | undefined

/** How a field is written, by its name: with its unit. */
const WRITTEN: Readonly<Record<string, string>> = {
  freshness: 'a duration with its unit: `10 s`, `15 min`, `1 h`, `1 d`',
  history: 'a duration with its unit: `7 d`, `90 d`; or `measured from TOPIC`',
  lateness: 'a duration with its unit: `30 s`, `2 d`; or `measured from TOPIC by FIELD`',
  rto: 'a duration with its unit: `15 min`',
  rpo: 'a duration with its unit: `0 s`, `5 min`',
  rate: 'events in a time: `50/s`, `2 k/s`, `5 M/d`; or `measured from TOPIC`',
  peak: 'events in a time: `200/s`; or `measured from TOPIC`',
  bytes: 'the size of one event with its unit: `800 B`, `2 KB`; or `measured from TOPIC`',
  state: 'a size with its unit: `100 MB`, `2 GB`; or `measured from TOPIC by KEY`',
  budget: 'USD a month: `2000 USD/month`',
  lossIfOneHourOld: 'USD a month: `500 USD/month`',
  hours: 'hours a month: `20 h/month`',
  price: 'USD an hour: `100 USD/h`',
  name: 'lower case letters, digits and dashes: `fraud-check`',
  from: 'lower case letters, digits and dashes: `payments`',
  readers: 'lower case names: `snowflake`, `duckdb`',
  skills: 'lower case names: `sql`, `kafka`',
  ifOneHourOld: 'what breaks, in words: `nothing`, or `the last item is sold twice`',
  actor: 'who or what acts on it, in words: `shop managers`',
}

/** Where a bare number stands, the unit that was most likely meant. */
const UNIT: Readonly<Record<string, string>> = {
  freshness: ' s',
  history: ' d',
  lateness: ' s',
  rto: ' min',
  rpo: ' s',
  rate: '/s',
  peak: '/s',
  bytes: ' B',
  state: ' MB',
  budget: ' USD/month',
  lossIfOneHourOld: ' USD/month',
  hours: ' h/month',
  price: ' USD/h',
}

/** How fields are written, by name, and the unit that was meant where a bare number stands. */
export interface Figures {
  readonly written: Readonly<Record<string, string>>
  readonly unit: Readonly<Record<string, string>>
}

/** @param knownFields the fields that the map at a path may have */
export function refusalsOf(
  located: Located,
  issues: readonly z.core.$ZodIssue[],
  code: string,
  knownFields: (path: Path) => readonly string[],
  nearest: Nearest,
  { written, unit: units }: Figures = { written: WRITTEN, unit: UNIT },
): NeedsFinding[] {
  return issues.flatMap((issue) => {
    const refuse = (message: string, hint: string, place = located.placeOf(issue.path)) =>
      findingAt(located, place, { severity: 'error', message, hint, code })
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) =>
        refuse(
          `there is no field \`${key}\` here`,
          unknownHint(key, knownFields(issue.path), nearest),
          located.placeOfKey(issue.path, key),
        ),
      )
    const field = fieldOf(issue.path)
    const value = valueAt(located.value, issue.path)
    if (value === undefined || value === null) {
      const known = issue.code === 'invalid_value' ? `one of ${issue.values.join(', ')}` : field
      return [refuse(`\`${field}\` is missing`, `write ${written[field] ?? known}`)]
    }
    if (issue.code === 'invalid_value' && issue.values.length > 1) {
      const known = issue.values.map(String)
      const told = NOT_PRICED[String(value)]
      if (told !== undefined) return [refuse(`\`${field}\` can't be ${shown(value)}`, told)]
      const near = typeof value === 'string' ? nearest(value, known) : undefined
      const meant = near === undefined ? '' : `did you mean \`${near}\`? `
      return [
        refuse(`\`${field}\` can't be ${shown(value)}`, `${meant}it is one of ${known.join(', ')}`),
      ]
    }
    const unit = units[field]
    if (unit !== undefined && (typeof value === 'number' || /^[\d.]+$/.test(String(value))))
      return [
        refuse(
          `\`${field}\` has no unit: ${shown(value)}`,
          `write it with one: \`${String(value)}${unit}\`; it is ${written[field]}`,
        ),
      ]
    return [refuse(`\`${field}\` can't be ${shown(value)}`, hintOf(written[field], issue))]
  })
}

/** What people have, and is not priced here. */
const NOT_PRICED: Readonly<Record<string, string>> = {
  'pubsub-lite': 'Pub/Sub Lite shuts down on 31 January 2027: plan with `pubsub`',
  redpanda:
    'its published prices contradict one another: write `kafka`, whose protocol it speaks, and give your prices with --prices',
  storm: 'write what shall take its place, or leave it out',
}

function hintOf(written: string | undefined, issue: z.core.$ZodIssue): string {
  if (written !== undefined) return `write ${written}`
  if (issue.code === 'invalid_type') return `write ${EXPECTED[issue.expected] ?? issue.expected}`
  return issue.message
}

const EXPECTED: Readonly<Record<string, string>> = {
  array: 'a list: `[a, b]`, or one `- a` a line',
  object: 'fields below it, indented',
  string: 'text',
  number: 'a number',
}

function unknownHint(key: string, known: readonly string[], nearest: Nearest): string {
  const near = nearest(key, known)
  return near === undefined ? `there are ${known.join(', ')}` : `did you mean \`${near}\`?`
}

function fieldOf(path: Path): string {
  return String(path.findLast((part) => typeof part === 'string') ?? 'the file')
}

export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inside, part) => {
    if (typeof inside !== 'object' || inside === null) return undefined
    return Object.entries(inside).find(([key]) => key === String(part))?.[1]
  }, value)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
