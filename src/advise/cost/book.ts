/** The book of prices and limits that advice is computed from. Every entry has a source, a date and a confidence; numbers stand nowhere else. */
import { z } from 'zod'
import { invariant } from '../../errors.ts'
import limitsFile from '../data/limits.json' with { type: 'json' }
import pricesFile from '../data/prices.json' with { type: 'json' }

export const DATE = /^\d{4}-\d{2}-\d{2}$/
/** A: the vendor's own page; B: the vendor's samples or a copy of its docs; C: third party, or our own judgement. */
export const confidence = z.enum(['A', 'B', 'C'])
const origin = {
  source: z.string().min(1),
  asOf: z.string().regex(DATE),
  confidence,
  note: z.string().optional(),
}

export const priceShape = z.strictObject({
  sku: z.string().min(1),
  name: z.string().min(1),
  region: z.string().min(1),
  unit: z.string().min(1),
  price: z.number().min(0),
  ...origin,
})
export const limitShape = z.strictObject({
  id: z.string().min(1),
  value: z.number().min(0),
  unit: z.string().min(1),
  what: z.string().min(1),
  ...origin,
})
const pricesShape = z.object({ prices: z.array(priceShape) })
const limitsShape = z.object({ limits: z.array(limitShape) })

export type Price = z.infer<typeof priceShape>
export type Limit = z.infer<typeof limitShape>

export interface Book {
  readonly prices: readonly Price[]
  readonly limits: readonly Limit[]
  price(sku: string): Price
  /** The value, in the unit that the entry names. */
  limit(id: string): number
  /** Operating hours that replace those of a candidate, by its id. */
  hours(candidate: string): OwnHours | undefined
}

export interface OwnHours {
  readonly candidate: string
  /** A month: for who runs it already, for who takes it up, and more for who lacks the skill. */
  readonly run: number
  readonly adopt: number
  readonly withoutSkill: number
}

/** Entries that replace those of the same sku or id. */
export interface Replacements {
  readonly prices?: readonly Price[]
  readonly limits?: readonly Limit[]
  readonly hours?: readonly OwnHours[]
}

export function openBook(own: Replacements = {}): Book {
  const prices = replaced(pricesShape.parse(pricesFile).prices, own.prices ?? [], ({ sku }) => sku)
  const limits = replaced(limitsShape.parse(limitsFile).limits, own.limits ?? [], ({ id }) => id)
  const priceOf = new Map(prices.map((price) => [price.sku, price]))
  const limitOf = new Map(limits.map((limit) => [limit.id, limit]))
  return {
    prices,
    limits,
    price(sku) {
      const price = priceOf.get(sku)
      invariant(price !== undefined, `the book has a price of ${sku}`)
      return price
    },
    limit(id) {
      const limit = limitOf.get(id)
      invariant(limit !== undefined, `the book has a limit ${id}`)
      return limit.value
    },
    hours: (candidate) => own.hours?.find((each) => each.candidate === candidate),
  }
}

function replaced<Entry>(
  shipped: readonly Entry[],
  own: readonly Entry[],
  keyOf: (entry: Entry) => string,
): Entry[] {
  const byKey = new Map(shipped.map((entry) => [keyOf(entry), entry]))
  for (const entry of own) byKey.set(keyOf(entry), entry)
  return [...byKey.values()]
}
