/** The rules and candidates, data with sources, and the one way in which a rule's conditions are read. */
import { z } from 'zod'
import { invariant } from '../../errors.ts'
import candidatesFile from '../data/candidates.json' with { type: 'json' }
import rulesFile from '../data/rules.json' with { type: 'json' }
import { CLOUDS, CONSEQUENCES, ENGINES, LOSSES } from '../needs/needs.ts'

const condition = z.union([
  z.strictObject({ fact: z.string(), isOneOf: z.array(z.string()) }),
  z.strictObject({ fact: z.string(), atMost: z.number() }),
  z.strictObject({ fact: z.string(), atLeast: z.number() }),
  z.strictObject({ fact: z.string(), above: z.number() }),
  z.strictObject({ fact: z.string(), has: z.array(z.string()) }),
])
export type Condition = z.infer<typeof condition>

export const VERDICTS = ['batch', 'micro-batch', 'streaming'] as const
export type Verdict = (typeof VERDICTS)[number]
export type Pattern = 'plain-batch' | 'kappa' | 'streaming-lakehouse' | 'lambda'

const origin = { source: z.string(), asOf: z.string() }
const verdictRule = z.strictObject({
  id: z.string(),
  title: z.string(),
  verdict: z.enum(VERDICTS),
  when: z.array(condition),
  because: z.string(),
  flips: z
    .array(
      z.strictObject({
        question: z.string(),
        change: z.strictObject({
          consequence: z.enum(CONSEQUENCES).optional(),
          freshness: z.number().optional(),
        }),
        verdict: z.enum(VERDICTS),
      }),
    )
    .min(1),
  ...origin,
})
const patternRule = z.strictObject({
  id: z.string(),
  pattern: z.enum(['plain-batch', 'kappa', 'streaming-lakehouse', 'lambda']),
  when: z.array(condition),
  because: z.string(),
  tradeOff: z.string(),
  flip: z.string(),
  ...origin,
})
const formatRule = z.strictObject({
  id: z.string(),
  format: z.enum(['delta', 'iceberg', 'hudi', 'none']),
  when: z.array(condition),
  because: z.string(),
  ...origin,
})
const constraint = z.strictObject({ id: z.string(), title: z.string(), says: z.string() })
const rulesShape = z.object({
  verdicts: z.array(verdictRule),
  cadence: z.strictObject({
    dailyFromSeconds: z.number(),
    hourlySeconds: z.number(),
    microBatchSecondsLeast: z.number(),
    ...origin,
  }),
  patterns: z.array(patternRule),
  formats: z.array(formatRule),
  constraints: z.array(constraint),
})

const candidate = {
  id: z.string(),
  name: z.string(),
  clouds: z.array(z.enum(CLOUDS)),
  /** Who is paid besides the cloud; null: nobody. */
  vendor: z.string().nullable(),
  survives: z.enum(LOSSES),
  rtoSeconds: z.number(),
  rpoSeconds: z.number(),
  hours: z.strictObject({ run: z.number(), adopt: z.number(), withoutSkill: z.number() }),
  skills: z.array(z.string()),
  sizing: z.string(),
  availability: z.string(),
  for: z.array(z.string()),
  against: z.array(z.string()),
}
const platformShape = z.strictObject({
  ...candidate,
  platform: z.string(),
  speaks: z.array(z.string()),
  followsEngine: z.boolean(),
  /** Meant where only the platform is named. */
  isUsualTier: z.boolean(),
  takesEventsAtOnce: z.boolean(),
  retentionLimit: z.string().nullable(),
})
const engineShape = z.strictObject({
  ...candidate,
  engine: z.enum(ENGINES),
  form: z.enum(['continuous', 'scheduled']),
  onlyIfRun: z.boolean(),
  reads: z.array(z.string()),
  latencySecondsLeast: z.number(),
  stateLimit: z.string().nullable(),
  writesTables: z.boolean(),
})
const candidatesShape = z.object({
  hoursSource: z.string(),
  platforms: z.array(platformShape),
  engines: z.array(engineShape),
})

export type VerdictRule = z.infer<typeof verdictRule>
export type PatternRule = z.infer<typeof patternRule>
export type FormatRule = z.infer<typeof formatRule>
export type PlatformCandidate = z.infer<typeof platformShape>
export type EngineCandidate = z.infer<typeof engineShape>

export const RULES = rulesShape.parse(rulesFile)
export const CANDIDATES = candidatesShape.parse(candidatesFile)

export type RuleFacts = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** The first rule of which all conditions hold. The last of each group has none. */
export function firstThatHolds<Rule extends { readonly when: readonly Condition[] }>(
  rules: readonly Rule[],
  facts: RuleFacts,
): Rule {
  const found = rules.find(({ when }) => when.every((each) => holds(each, facts)))
  invariant(found !== undefined, 'the last rule of a group has no condition')
  return found
}

function holds(condition: Condition, facts: RuleFacts): boolean {
  const value = facts[condition.fact]
  if ('isOneOf' in condition) return typeof value === 'string' && condition.isOneOf.includes(value)
  if ('has' in condition)
    return Array.isArray(value) && condition.has.some((each) => value.includes(each))
  if (typeof value !== 'number') return false
  if ('atMost' in condition) return value <= condition.atMost
  if ('atLeast' in condition) return value >= condition.atLeast
  return value > condition.above
}
