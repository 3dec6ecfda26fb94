/** Rows of a schema, as the JSON that given tables decode. */
import type { DataType, Field } from '../../data/types.ts'
import type { SimulatedRandom } from '../random.ts'
import type { Hints, Units } from './hints.ts'

export interface RowCourse {
  /** Of the event. */
  readonly timeMs: number
  readonly random: SimulatedRandom
  /** How many values a column takes, or so. */
  readonly domain: number
  readonly hints: Pick<Hints, 'texts' | 'numbers'>
  readonly epochs: ReadonlyMap<string, Units>
  /** Between date and time stands a T. */
  readonly isIso: boolean
  readonly isNullable: (name: string) => boolean
}

export function eventJson(fields: readonly Field[], course: RowCourse): string {
  const members = fields.map(({ name, type }) => {
    const units = course.epochs.get(name)
    const value = units === undefined ? columnJson(name, type, course) : epochJson(units, course)
    return `${JSON.stringify(name)}:${value}`
  })
  return `{${members.join(',')}}`
}

function columnJson(name: string, type: DataType, course: RowCourse): string {
  const isNull = type.nullable && course.isNullable(name) && course.random.below(15) === 0
  return isNull ? 'null' : valueJson(type, course)
}

function epochJson(units: Units, { timeMs }: RowCourse): string {
  if (units === 'milliseconds') return `${timeMs}`
  if (units === 'seconds') return `${Math.floor(timeMs / 1000)}`
  return JSON.stringify(timeText(timeMs, ' ', 3))
}

function valueJson(type: DataType, course: RowCourse): string {
  const { random, timeMs, isIso, domain } = course
  const text = timeText(timeMs, isIso ? 'T' : ' ', 'precision' in type ? type.precision : 3)
  switch (type.kind) {
    case 'null':
      return 'null'
    case 'boolean':
      return random.below(2) === 0 ? 'true' : 'false'
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'interval_day_second':
    case 'interval_year_month':
      return `${wholeNumber(course, type.kind === 'tinyint' ? 127 : 32_767)}`
    case 'float':
    case 'double':
      return `${random.below(domain * 8) / 4}`
    case 'decimal':
      return decimalJson(type, random)
    case 'char':
    case 'varchar':
      return JSON.stringify(wordOf(course).slice(0, type.length))
    case 'binary':
    case 'varbinary':
      return JSON.stringify(Buffer.from(random.bytes(Math.min(type.length, 3))).toString('base64'))
    case 'date':
      return JSON.stringify(text.slice(0, 10))
    case 'time':
      return JSON.stringify(text.slice(11, 19))
    case 'timestamp':
      return JSON.stringify(text)
    case 'timestamp_ltz':
      return JSON.stringify(`${text}Z`)
    case 'row':
      return eventJson(type.fields, course)
    case 'array':
      return `[${listOf(random, () => valueJson(type.element, course))}]`
    case 'map':
      return `{${listOf(random, (index) => `"k${index}":${valueJson(type.value, course)}`)}}`
  }
}

function listOf(random: SimulatedRandom, each: (index: number) => string): string {
  return Array.from({ length: random.below(4) }, (_, index) => each(index)).join(',')
}

/** Small ones, so that keys meet, and those that the query names, with their neighbours. */
function wholeNumber({ random, domain, hints }: RowCourse, most: number): number {
  if (hints.numbers.length === 0 || random.below(3) > 0) return random.below(domain)
  const near = random.pick(hints.numbers) + random.below(3) - 1
  return Math.max(-most, Math.min(most, Math.trunc(near)))
}

function wordOf({ random, domain, hints }: RowCourse): string {
  const isAsked = hints.texts.length > 0 && random.below(2) === 0
  return isAsked ? random.pick(hints.texts) : `${String.fromCharCode(97 + random.below(domain))}`
}

function decimalJson(
  { precision, scale }: { precision: number; scale: number },
  random: SimulatedRandom,
): string {
  const digits = Math.min(precision, scale + 3)
  const text = `${random.below(10 ** Math.min(digits, 9))}`.padStart(scale + 1, '0')
  return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
}

function timeText(ms: number, separator: string, precision: number): string {
  const text = new Date(ms).toISOString().slice(0, -1).replace('T', separator)
  return precision >= 3 ? text : text.slice(0, precision === 0 ? 19 : 20 + precision)
}
