/** The shape of a needs file, as it is written. Its JSON Schema is published, so that editors complete it. */
import { z } from 'zod'
import { CLOUDS, COMPLIANCE, CONSEQUENCES, ENGINES, LOSSES, PLATFORMS, WHATS } from './needs.ts'
import {
  BYTE_COUNT,
  DURATION,
  HOURS_A_MONTH,
  MEASURED,
  MEASURED_BY,
  MONEY_A_MONTH,
  MONEY_AN_HOUR,
  RATE,
} from './quantities.ts'

const NAME = /^[a-z][a-z0-9-]{0,62}$/

const text = (pattern: RegExp, description: string, ...examples: string[]) =>
  z.string().regex(pattern).meta({ description, examples })
const duration = (description: string, ...examples: string[]) =>
  text(DURATION, description, ...examples)
const measuredOr = (pattern: RegExp, description: string, ...examples: string[]) =>
  z
    .union([z.string().regex(pattern), z.string().regex(MEASURED)])
    .meta({ description, examples: [...examples, 'measured from payments'] })

const availability = z
  .strictObject({
    survives: z
      .enum(LOSSES)
      .optional()
      .meta({ description: 'the largest thing whose loss must not stop it' }),
    rto: duration('how soon it must run again', '15 min').optional(),
    rpo: duration('how much may be lost, in time', '0 s').optional(),
  })
  .meta({ description: 'of what runs continuously; a job on a timer is simply run again' })

const context = z.strictObject({
  clouds: z
    .array(z.enum(CLOUDS))
    .min(1)
    .meta({ description: 'where it may run; own: machines of yours' }),
  regions: z.array(z.string()).optional(),
  compliance: z.array(z.enum(COMPLIANCE)).optional(),
  platforms: z
    .array(z.enum(PLATFORMS))
    .optional()
    .meta({ description: 'run already, and the events arrive there' }),
  engines: z.array(z.enum(ENGINES)).optional().meta({ description: 'run already' }),
  readers: z
    .array(z.string().regex(NAME))
    .optional()
    .meta({ description: 'what opens the tables', examples: [['snowflake', 'duckdb']] }),
  skills: z
    .array(z.string().regex(NAME))
    .optional()
    .meta({ description: 'what the team knows', examples: [['sql', 'typescript', 'kafka']] }),
  tableFormat: z.enum(['delta', 'iceberg', 'hudi']).optional().meta({ description: 'in use' }),
  batchLayer: z
    .enum(['none', 'may-go', 'must-stay'])
    .optional()
    .meta({ description: 'is there one already?' }),
  newSystems: z.enum(['allowed', 'refused']).optional(),
  operations: z
    .strictObject({
      hours: text(HOURS_A_MONTH, 'what the team has for operating', '20 h/month').optional(),
      price: text(MONEY_AN_HOUR, 'what an hour costs', '100 USD/h').optional(),
    })
    .optional(),
  availability: availability.optional(),
  budget: text(MONEY_A_MONTH, 'all of it, hours too', '2000 USD/month').optional(),
})

const output = z.strictObject({
  name: z.string().regex(NAME).meta({ description: 'lower case, with dashes' }),
  what: z.enum(WHATS),
  actor: z.string().min(1).meta({ description: 'who or what acts on it' }),
  ifOneHourOld: z
    .string()
    .min(1)
    .meta({ description: 'what breaks if the data is one hour old? In your words' }),
  consequence: z.enum(CONSEQUENCES).meta({ description: 'the same, as the rules know it' }),
  freshness: duration('how old the result may be', '15 min', '1 d'),
  from: z
    .string()
    .regex(NAME)
    .optional()
    .meta({ description: 'the stream of events; outputs of one stream share it' }),
  rate: measuredOr(RATE, 'events, in the mean', '2000/s', '5 M/d'),
  peak: measuredOr(RATE, 'events, in the busiest minute', '6000/s').optional(),
  bytes: measuredOr(BYTE_COUNT, 'of one event', '800 B'),
  history: measuredOr(DURATION, 'how far back it is computed anew', '30 d').optional(),
  lateness: z
    .union([z.string().regex(DURATION), z.string().regex(MEASURED_BY)])
    .optional()
    .meta({
      description: 'how late events may come',
      examples: ['5 min', 'measured from payments by placed_at'],
    }),
  state: z
    .union([z.string().regex(BYTE_COUNT), z.string().regex(MEASURED_BY)])
    .optional()
    .meta({
      description: 'what must be remembered at once',
      examples: ['2 GB', 'measured from payments by card'],
    }),
  correctness: z.enum(['exactly-once', 'at-least-once']).optional(),
  delivers: z
    .enum(['table', 'service'])
    .optional()
    .meta({ description: 'a table that is queried, or a service that is told' }),
  lossIfOneHourOld: text(
    MONEY_A_MONTH,
    'what an hour costs, if you know',
    '500 USD/month',
  ).optional(),
})

export const needsShape = z
  .strictObject({
    name: z.string().optional(),
    context,
    outputs: z.array(output).min(1),
  })
  .meta({ title: 'Needs, as `millrace advise` reads them' })

export type NeedsText = z.infer<typeof needsShape>
export type OutputText = z.infer<typeof output>
