/** The advice as one object: what `--format json` prints, and what every other form is written from. Its JSON Schema is published. */
import { z } from 'zod'
import { CONSEQUENCES, LOSSES, WHATS } from '../needs/needs.ts'
import { VERDICTS } from '../rules/rules.ts'

const usd = z.number().meta({ description: 'USD a month' })

const costLine = z.strictObject({
  kind: z.enum(['compute', 'ingress', 'storage', 'requests', 'transfer', 'operations']),
  sku: z.string().optional(),
  item: z.string(),
  quantity: z.number(),
  unit: z.string(),
  price: z.number().meta({ description: 'USD a unit' }),
  monthly: usd,
  how: z.string(),
  asOf: z.string().optional(),
  source: z.string().optional(),
  confidence: z.enum(['A', 'B', 'C']).optional(),
  alreadyPaid: usd.optional(),
})

const capacityUnit = z.strictObject({ name: z.string(), count: z.number(), binding: z.string() })

/** A design with its price, and beside the price what one gets for it. */
const priced = z.strictObject({
  platform: z.string(),
  engine: z.string(),
  batchEngine: z.string().optional(),
  names: z.string(),
  total: usd,
  money: usd,
  hours: z.number(),
  availability: z.strictObject({
    class: z.string(),
    survives: z.enum(LOSSES),
    rtoSeconds: z.number(),
    rpoSeconds: z.number(),
    isHighlyAvailable: z.boolean(),
  }),
})

const output = z.strictObject({
  name: z.string(),
  what: z.enum(WHATS),
  actor: z.string(),
  ifOneHourOld: z.string(),
  consequence: z.enum(CONSEQUENCES),
  freshnessSeconds: z.number(),
  verdict: z.enum(VERDICTS),
  cadence: z.enum(['hourly', 'daily']).optional(),
  plannedSeconds: z.number(),
  rule: z.string().meta({ description: 'the id of the rule that decided' }),
  because: z.string(),
  source: z.string(),
  runsOn: z.string().meta({ description: 'what carries it in the plan' }).optional(),
  flips: z.array(z.strictObject({ question: z.string(), verdict: z.enum(VERDICTS) })),
})

const reason = z.strictObject({ rule: z.string(), because: z.string() })

const plan = z.strictObject({
  pattern: z.string(),
  format: z.string(),
  platform: z.string().optional(),
  engine: z.string().optional(),
  total: usd.optional(),
  reasons: z.strictObject({
    pattern: z.strictObject({
      ...reason.shape,
      tradeOff: z.string(),
      inYourFigures: z.array(z.string()),
      flip: z.string(),
    }),
    format: reason,
  }),
  design: priced.optional().meta({ description: 'absent: nothing meets all constraints' }),
  for: z.array(z.string()),
  against: z.array(z.string()),
  nearest: z
    .array(z.strictObject({ ...priced.shape, breaks: z.array(z.string()) }))
    .meta({ description: 'where nothing meets all constraints: what comes nearest' }),
})

export const adviceShape = z
  .strictObject({
    schema: z.literal('millrace-advice/1'),
    name: z.string(),
    pricesAsOf: z.strictObject({ oldest: z.string(), newest: z.string() }),
    outputs: z.array(output),
    plan,
    costs: z.array(costLine),
    capacity: z.array(
      z.strictObject({
        of: z.string(),
        units: z.array(capacityUnit),
        exceeds: z.string().optional(),
      }),
    ),
    curve: z.array(
      z.strictObject({ seconds: z.number(), best: priced.optional(), managed: priced.optional() }),
    ),
    saving: z.strictObject({
      says: z.string(),
      batch: usd.optional(),
      planned: usd.optional(),
      asked: usd.optional(),
      breakEven: usd.optional(),
      stated: usd.optional(),
    }),
    alternatives: z.array(z.strictObject({ ...priced.shape, why: z.string() })),
    eliminated: z.array(
      z.strictObject({
        candidate: z.string(),
        constraints: z.array(z.strictObject({ id: z.string(), says: z.string() })),
      }),
    ),
    flips: z.array(
      z.strictObject({
        without: z.array(z.string()),
        says: z.string(),
        instead: priced,
        saves: usd,
      }),
    ),
    sensitivity: z.array(
      z.strictObject({ change: z.string(), design: priced.optional(), changes: z.boolean() }),
    ),
    priorities: z.array(z.string()),
    risks: z.array(z.string()),
    assumptions: z.array(z.string()),
    doubts: z.array(
      z.strictObject({
        message: z.string(),
        hint: z.string(),
        file: z.string(),
        line: z.number(),
        column: z.number(),
      }),
    ),
    nextSteps: z.strictObject({
      commands: z.array(z.strictObject({ run: z.string(), why: z.string() })),
      files: z.array(z.strictObject({ path: z.string(), text: z.string() })),
    }),
  })
  .meta({ title: 'Advice, as `millrace advise --format json` prints it' })

export type Advice = z.infer<typeof adviceShape>
export type Priced = z.infer<typeof priced>
