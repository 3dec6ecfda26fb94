/**
 * The actions of a Delta log, as data, and their JSON lines. Members that Millrace does not know are ignored, as the protocol asks.
 *
 * @see Delta protocol, "Actions"
 */
import { z } from 'zod'
import { MillraceError } from '../../errors.ts'

/** Checkpoints give 64-bit integers as bigint, JSON as number; sizes, times and versions all fit a double. */
const long = z.union([z.number(), z.bigint()]).transform(Number)
const stringMap = z.record(z.string(), z.string().nullable())

const protocol = z.object({
  minReaderVersion: long,
  minWriterVersion: long,
  readerFeatures: z.array(z.string()).optional(),
  writerFeatures: z.array(z.string()).optional(),
})
const metadata = z.object({
  id: z.string(),
  name: z.string().optional(),
  description: z.string().optional(),
  format: z
    .object({ provider: z.string(), options: stringMap.default({}) })
    .default({ provider: 'parquet', options: {} }),
  schemaString: z.string(),
  partitionColumns: z.array(z.string()),
  configuration: z.record(z.string(), z.string()).default({}),
  createdTime: long.optional(),
})
const add = z.object({
  /** URI-encoded, relative to the table's root, or absolute. */
  path: z.string(),
  partitionValues: stringMap,
  size: long,
  modificationTime: long,
  dataChange: z.boolean(),
  /** JSON text. */
  stats: z.string().optional(),
  tags: stringMap.optional(),
  deletionVector: z.unknown().optional(),
  baseRowId: long.optional(),
  defaultRowCommitVersion: long.optional(),
  clusteringProvider: z.string().optional(),
})
const remove = z.object({
  path: z.string(),
  deletionTimestamp: long.optional(),
  dataChange: z.boolean(),
  extendedFileMetadata: z.boolean().optional(),
  partitionValues: stringMap.optional(),
  size: long.optional(),
  tags: stringMap.optional(),
})
const txn = z.object({ appId: z.string(), version: long, lastUpdated: long.optional() })
const domainMetadata = z.object({
  domain: z.string(),
  configuration: z.string(),
  removed: z.boolean(),
})
/** Free-form; `txnId` tells one attempt from another. */
const commitInfo = z.record(z.string(), z.unknown())

const KINDS = { protocol, metaData: metadata, add, remove, txn, domainMetadata, commitInfo }

export type Protocol = z.output<typeof protocol>
export type Metadata = z.output<typeof metadata>
export type AddFile = z.output<typeof add>
export type RemoveFile = z.output<typeof remove>
export type Transaction = z.output<typeof txn>
export type DomainMetadata = z.output<typeof domainMetadata>
export type StringMap = z.output<typeof stringMap>
export type CommitInfo = z.output<typeof commitInfo>
export type ActionKind = keyof typeof KINDS

/** One member is there. */
export interface Action {
  readonly protocol?: Protocol
  readonly metaData?: Metadata
  readonly add?: AddFile
  readonly remove?: RemoveFile
  readonly txn?: Transaction
  readonly domainMetadata?: DomainMetadata
  readonly commitInfo?: CommitInfo
}

/** JSON lines, as a commit file has them. */
export function commitText(actions: readonly Action[]): string {
  return actions.map((action) => `${JSON.stringify(action)}\n`).join('')
}

/**
 * The actions of a commit file, unknown kinds left out.
 *
 * @throws DELTA_LOG_CORRUPT naming `key` and the line
 */
export function parseCommit(key: string, text: string): Action[] {
  const actions: Action[] = []
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return
    const where = `line ${index + 1}`
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch (cause) {
      throw logCorrupt(key, `${where} is not JSON`, cause)
    }
    const action = actionOf(key, where, parsed)
    if (action !== undefined) actions.push(action)
  })
  return actions
}

/**
 * The action in an object of which one member is not null, as a line of a commit or a row of a checkpoint is. Undefined for
 * kinds that are not known (cdc, checkpointMetadata, ...).
 *
 * @throws DELTA_LOG_CORRUPT naming `key` and `where`
 */
export function actionOf(key: string, where: string, object: unknown): Action | undefined {
  if (!isRecord(object)) throw logCorrupt(key, `${where} is not an action`)
  for (const kind of Object.keys(KINDS) as ActionKind[]) {
    const member = object[kind]
    if (member === null || member === undefined) continue
    const result = KINDS[kind].safeParse(withoutNulls(member))
    if (result.success) return { [kind]: result.data }
    const [issue] = result.error.issues
    const at = [kind, ...(issue?.path ?? [])].join('.')
    throw logCorrupt(key, `${where} has an invalid '${at}': ${issue?.message}`)
  }
  return undefined
}

export function logCorrupt(key: string, problem: string, cause?: unknown): MillraceError {
  return new MillraceError('DELTA_LOG_CORRUPT', {
    message: `the Delta log is corrupt: '${key}': ${problem}`,
    hint: 'restore the file from a backup or from another copy of the table; nothing was read past it',
    facts: { file: key, problem },
    cause,
  })
}

/** Optional members may be written as null, and are undefined in some rows of checkpoints. */
function withoutNulls(member: unknown): unknown {
  if (!isRecord(member)) return member
  return Object.fromEntries(
    Object.entries(member).filter(([, value]) => value !== null && value !== undefined),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
