/** Every command by name, with its one line; its file is imported only when it is the one that was asked for. */
import type { Declare } from './command.ts'

export interface ListedCommand {
  readonly name: string
  readonly summary: string
  /** Commands that belong together stand together in the help. */
  readonly group: string
  load(): Promise<Declare>
}

const START = 'Begin:'
const RUN = 'Run pipelines:'
const DATA = 'Put data in, get answers out:'
const UNDERSTAND = 'Understand and check:'

export const COMMANDS: readonly ListedCommand[] = [
  {
    name: 'demo',
    summary: "a shop's orders, everything that goes wrong, and the proof that nothing was lost",
    group: START,
    load: async () => (await import('./commands/demo.ts')).declareDemo,
  },
  {
    name: 'init',
    summary: 'make a small commented project that runs',
    group: START,
    load: async () => (await import('./commands/init.ts')).declareInit,
  },
  {
    name: 'run',
    summary: 'run pipelines in the foreground, with live status',
    group: RUN,
    load: async () => (await import('./commands/run.ts')).declareRun,
  },
  {
    name: 'start',
    summary: 'start a pipeline in the process that runs already',
    group: RUN,
    load: async () => (await import('./commands/start.ts')).declareStart,
  },
  {
    name: 'stop',
    summary: 'stop a pipeline there, with a checkpoint',
    group: RUN,
    load: async () => (await import('./commands/stop.ts')).declareStop,
  },
  {
    name: 'status',
    summary: 'show what runs there, and why a window waits',
    group: RUN,
    load: async () => (await import('./commands/status.ts')).declareStatus,
  },
  {
    name: 'savepoint',
    summary: 'keep a copy of the state of a running pipeline',
    group: RUN,
    load: async () => (await import('./commands/savepoint.ts')).declareSavepoint,
  },
  {
    name: 'produce',
    summary: 'append JSON lines to a topic, durably, without duplicates when repeated',
    group: DATA,
    load: async () => (await import('./commands/produce.ts')).declareProduce,
  },
  {
    name: 'query',
    summary: 'run a SELECT over topics and tables and print its rows',
    group: DATA,
    load: async () => (await import('./commands/query.ts')).declareQuery,
  },
  {
    name: 'log',
    summary: 'list topics, look into one, verify checksums',
    group: DATA,
    load: async () => (await import('./commands/log.ts')).declareLog,
  },
  {
    name: 'late',
    summary: 'list rows that came after their window had fired, and feed them in again',
    group: DATA,
    load: async () => (await import('./commands/side-rows.ts')).declareLate,
  },
  {
    name: 'dead',
    summary: 'list rows that could not be read, and feed them in again',
    group: DATA,
    load: async () => (await import('./commands/side-rows.ts')).declareDead,
  },
  {
    name: 'advise',
    summary: 'say whether streaming is warranted, how to do it, and what it costs',
    group: UNDERSTAND,
    load: async () => (await import('./commands/advise.ts')).declareAdvise,
  },
  {
    name: 'registry',
    summary: "serve the project's schemas with Confluent's REST API",
    group: DATA,
    load: async () => (await import('./commands/registry.ts')).declareRegistry,
  },
  {
    name: 'kafka',
    summary: 'hold Kafka tables against their brokers; list and abort open transactions',
    group: DATA,
    load: async () => (await import('./commands/kafka.ts')).declareKafka,
  },
  {
    name: 'check',
    summary: 'validate the whole project, offline, and show every error at once',
    group: UNDERSTAND,
    load: async () => (await import('./commands/check.ts')).declareCheck,
  },
  {
    name: 'test',
    summary: "run the project's golden files: queries, what they are fed, what must come out",
    group: UNDERSTAND,
    load: async () => (await import('./commands/test.ts')).declareTest,
  },
  {
    name: 'sim',
    summary: 'crash a pipeline in every way, from a seed, and shrink what breaks it to few events',
    group: UNDERSTAND,
    load: async () => (await import('./commands/sim.ts')).declareSim,
  },
  {
    name: 'audit',
    summary: 'find what will go wrong with pipelines, of Millrace or of Flink SQL, and mend it',
    group: UNDERSTAND,
    load: async () => (await import('./commands/audit.ts')).declareAudit,
  },
  {
    name: 'schema',
    summary: 'say whether a new schema fits its subject, and which pipelines it would break',
    group: UNDERSTAND,
    load: async () => (await import('./commands/schema.ts')).declareSchema,
  },
  {
    name: 'explain',
    summary: "show a pipeline's plan, its guarantee, and what losing this machine would lose",
    group: UNDERSTAND,
    load: async () => (await import('./commands/explain.ts')).declareExplain,
  },
  {
    name: 'gen',
    summary: 'write TypeScript types of every table and query',
    group: UNDERSTAND,
    load: async () => (await import('./commands/gen.ts')).declareGen,
  },
]
