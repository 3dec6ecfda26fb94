/** `--prices my.json`: prices, limits and hours of one's own. Each says when and where it was read; without that it is refused. */
import { z } from 'zod'
import { findingAt, type NeedsFinding } from '../needs/findings.ts'
import { type Located, locate, type Path } from '../needs/located.ts'
import { type Figures, type Nearest, refusalsOf } from '../needs/refusals.ts'
import { CANDIDATES } from '../rules/rules.ts'
import {
  type Book,
  confidence,
  DATE,
  type Limit,
  type OwnHours,
  type Price,
  type Replacements,
} from './book.ts'

const CODE = 'PRICES_INVALID'

/** Unlike in a file of needs, figures are numbers here: the shipped entry says of what. */
const FIGURES: Figures = {
  written: {
    sku: 'the id of a price: docs/advise-rules.md lists them',
    price: 'USD for one unit, a number of 0 or more: `0.11`',
    value: 'a number of 0 or more, in the unit of the shipped limit',
    asOf: 'the day on which it was read: `2026-11-24`',
    source: 'where it was read, in words: `our contract`',
    run: 'hours a month, a number of 0 or more',
    adopt: 'hours a month, a number of 0 or more',
    withoutSkill: 'hours a month, a number of 0 or more',
  },
  unit: {},
}

const told = {
  asOf: z
    .string()
    .regex(DATE, { abort: true })
    .refine((day) => new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) === true)
    .meta({ description: 'when it was read', examples: ['2026-11-24'] }),
  source: z.string().min(1).meta({ description: 'where it was read' }),
  confidence: confidence.optional(),
  note: z.string().optional(),
}
const hoursFields = {
  candidate: z.string().meta({ description: 'a platform or engine, by its id' }),
  run: z.number().min(0),
  adopt: z.number().min(0),
  withoutSkill: z.number().min(0),
}

export const ownPricesShape = z
  .strictObject({
    prices: z
      .array(
        z.strictObject({
          sku: z.string(),
          price: z.number().min(0).meta({ description: 'USD a unit' }),
          region: z.string().optional(),
          ...told,
        }),
      )
      .optional(),
    limits: z
      .array(z.strictObject({ id: z.string(), value: z.number().min(0), ...told }))
      .optional(),
    hours: z.array(z.strictObject({ ...hoursFields, ...told })).optional(),
  })
  .meta({ title: 'Prices, limits and hours of your own, for `millrace advise --prices`' })

export interface ReadPrices {
  /** Absent where there is a finding. */
  readonly own?: Replacements
  readonly findings: readonly NeedsFinding[]
}

/** Reads `text` of `file`, JSON or YAML, against the shipped book. */
export function readOwnPrices(
  file: string,
  text: string,
  shipped: Book,
  nearest: Nearest,
): ReadPrices {
  const { located, findings } = locate(file, text, CODE)
  if (located === undefined) return { findings }
  const parsed = ownPricesShape.safeParse(located.value)
  if (!parsed.success)
    return {
      findings: refusalsOf(located, parsed.error.issues, CODE, knownFields, nearest, FIGURES),
    }
  const { prices = [], limits = [], hours = [] } = parsed.data
  const unknown = [
    ...unknownNames(
      located,
      'prices',
      'sku',
      prices.map(({ sku }) => sku),
      shipped.prices.map(({ sku }) => sku),
      nearest,
    ),
    ...unknownNames(
      located,
      'limits',
      'id',
      limits.map(({ id }) => id),
      shipped.limits.map(({ id }) => id),
      nearest,
    ),
    ...unknownNames(
      located,
      'hours',
      'candidate',
      hours.map(({ candidate }) => candidate),
      CANDIDATE_IDS,
      nearest,
    ),
  ]
  if (unknown.length > 0) return { findings: unknown }
  const ownPrices = prices.map(
    (own): Price => ({ ...shipped.price(own.sku), confidence: 'A', ...defined(own) }),
  )
  const ownLimits = limits.map((own): Limit => {
    const known = shipped.limits.find(({ id }) => id === own.id)!
    return { ...known, confidence: 'A', ...defined(own) }
  })
  const ownHours = hours.map(
    ({ candidate, run, adopt, withoutSkill }): OwnHours => ({
      candidate,
      run,
      adopt,
      withoutSkill,
    }),
  )
  return { own: { prices: ownPrices, limits: ownLimits, hours: ownHours }, findings: [] }
}

const CANDIDATE_IDS = [...CANDIDATES.platforms, ...CANDIDATES.engines].map(({ id }) => id)

function knownFields(path: Path): readonly string[] {
  const { prices, limits, hours } = ownPricesShape.shape
  if (path[0] === 'prices') return Object.keys(prices.unwrap().element.shape)
  if (path[0] === 'limits') return Object.keys(limits.unwrap().element.shape)
  if (path[0] === 'hours') return Object.keys(hours.unwrap().element.shape)
  return Object.keys(ownPricesShape.shape)
}

function unknownNames(
  located: Located,
  list: string,
  field: string,
  written: readonly string[],
  known: readonly string[],
  nearest: Nearest,
): NeedsFinding[] {
  return written.flatMap((name, index) => {
    if (known.includes(name)) return []
    const near = nearest(name, known)
    const hint =
      near === undefined ? 'docs/advise-rules.md lists what there is' : `did you mean \`${near}\`?`
    return [
      findingAt(located, located.placeOf([list, index, field]), {
        severity: 'error',
        message: `there is no ${field} \`${name}\``,
        hint,
        code: CODE,
      }),
    ]
  })
}

/** Without what is undefined, so that spreading it takes nothing away. */
function defined<Own extends object>(
  own: Own,
): { [Key in keyof Own]: Exclude<Own[Key], undefined> } {
  const entries = Object.entries(own).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof Own]: Exclude<Own[Key], undefined> }
}
