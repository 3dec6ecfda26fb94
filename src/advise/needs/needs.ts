/** What is needed: outputs, each with who acts on it and what breaks if it is an hour old, in a context. All figures in base units. */

export const CLOUDS = ['aws', 'azure', 'gcp', 'own'] as const
export const PLATFORMS = [
  'kafka',
  'confluent-cloud',
  'confluent-basic',
  'confluent-enterprise',
  'msk',
  'msk-express',
  'msk-serverless',
  'event-hubs',
  'event-hubs-premium',
  'pulsar',
  'kinesis',
  'kinesis-on-demand',
  'pubsub',
  'embedded',
] as const
export const ENGINES = [
  'embedded',
  'flink',
  'flink-aws',
  'flink-confluent',
  'spark',
  'databricks',
  'ksqldb',
  'dataflow',
  'glue',
] as const
export const CONSEQUENCES = [
  'nothing',
  'stale-report',
  'late-downstream',
  'late-alert',
  'wrong-decision',
] as const
export const LOSSES = ['process', 'machine', 'zone', 'region'] as const
export const COMPLIANCE = ['own-machines-only', 'no-new-vendor', 'gdpr', 'hipaa', 'pci'] as const
export const WHATS = [
  'decision',
  'alert',
  'sync',
  'display',
  'dashboard',
  'report',
  'extract',
] as const

export type Cloud = (typeof CLOUDS)[number]
export type Consequence = (typeof CONSEQUENCES)[number]
export type Loss = (typeof LOSSES)[number]
export type TableFormat = 'delta' | 'iceberg' | 'hudi'

export interface Needs {
  readonly name: string
  readonly context: Context
  readonly outputs: readonly Output[]
  /** What was not said and is taken, each in a sentence. */
  readonly assumptions: readonly string[]
}

export interface Context {
  readonly clouds: readonly Cloud[]
  readonly regions: readonly string[]
  readonly compliance: readonly (typeof COMPLIANCE)[number][]
  /** Run already. */
  readonly platforms: readonly (typeof PLATFORMS)[number][]
  readonly engines: readonly (typeof ENGINES)[number][]
  /** What opens the tables. */
  readonly readers: readonly string[]
  readonly skills: readonly string[]
  readonly tableFormat?: TableFormat
  readonly batchLayer: 'none' | 'may-go' | 'must-stay'
  readonly newSystems: 'allowed' | 'refused'
  /** Hours a month that are there for operating; absent: not limited. */
  readonly operatingHours?: number
  /** USD. */
  readonly operatingHourPrice: number
  readonly availability: Availability
  /** USD a month. */
  readonly budget?: number
}

/** Of what runs continuously; a job on a timer is run again. */
export interface Availability {
  readonly survives: Loss
  readonly rtoSeconds: number
  readonly rpoSeconds: number
}

export interface Output {
  readonly name: string
  readonly what: (typeof WHATS)[number]
  readonly actor: string
  /** In the words of who was asked. */
  readonly ifOneHourOld: string
  readonly consequence: Consequence
  readonly freshnessSeconds: number
  /** The stream of events it is made of; outputs of one stream share it. */
  readonly from: string
  /** Events a second, mean and peak. */
  readonly rate: number
  readonly peak: number
  /** Of one event. */
  readonly bytes: number
  readonly historyDays: number
  readonly latenessSeconds: number
  readonly stateBytes: number
  readonly correctness: 'exactly-once' | 'at-least-once'
  readonly delivers: 'table' | 'service'
  /** USD a month that an hour's age costs, if it is known. */
  readonly lossIfOneHourOld?: number
}
