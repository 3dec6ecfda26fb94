/** Rows into the log: through the owner where one runs, directly where none does. */

import { type ErrorCode, MillraceError } from '../errors.ts'
import type { ResolvedSchema, SchemaId } from '../formats/schema-source.ts'
import { openLog } from '../log/log.ts'
import type { FsyncPolicy } from '../log/partition-writer.ts'
import { takeOwnership } from '../ports/node/ownership.ts'
import { nodePorts } from '../ports/node/ports.ts'
import type { Ports } from '../ports/ports.ts'
import { localSchemas } from '../registry/local-source.ts'
import { connectControl } from '../serve/control-client.ts'
import type { ProducedRecord } from '../serve/protocol.ts'

export interface Produced {
  readonly appended: number
  readonly duplicates: number
}

export interface RowTarget {
  /** Appends and answers once the rows are durable. */
  append(records: readonly ProducedRecord[]): Promise<Produced>
  /** The id of a schema under a subject of the project's registry, new or known. @throws SCHEMA_INCOMPATIBLE, SCHEMA_INVALID */
  register(subject: string, schema: ResolvedSchema): Promise<SchemaId>
  close(): Promise<void>
}

export interface TargetRequest {
  readonly dataDirectory: string
  readonly topic: string
  readonly partitions?: number
  readonly ports?: Ports
  /** 'batch' unless told; where an owner runs, its own counts. */
  readonly fsync?: FsyncPolicy
}

/** Another process that only produces holds the directory for a moment: it is waited for. */
const WAIT_MS_MAX = 30_000
const WAIT_MS = 50
/** Another process has the directory, is about to take it, or has just given it up. */
const OWNER_CHANGES = new Set<ErrorCode>(['OWNER_EXISTS', 'OWNER_NOT_SERVING', 'OWNER_MISSING'])

/** @throws OWNER_NOT_SERVING if a program that embeds Millrace holds the directory for long */
export async function openTarget(request: TargetRequest): Promise<RowTarget> {
  const ports = request.ports ?? nodePorts()
  const deadline = ports.clock.monotonicMs() + WAIT_MS_MAX
  for (;;) {
    try {
      return (await throughOwner(request, ports)) ?? (await direct(request, ports))
    } catch (error) {
      // No row has been given yet: whatever came of it may be tried again.
      const isPassing = error instanceof MillraceError && OWNER_CHANGES.has(error.code)
      if (!isPassing || ports.clock.monotonicMs() > deadline) throw error
      await ports.clock.sleep(WAIT_MS)
    }
  }
}

async function throughOwner(
  { dataDirectory, topic, partitions }: TargetRequest,
  ports: Ports,
): Promise<RowTarget | undefined> {
  const client = await connectControl(dataDirectory, ports)
  if (client === undefined) return undefined
  const append = async (records: readonly ProducedRecord[]) =>
    (await client.ask({
      op: 'produce',
      topic,
      records: [...records],
      ...(partitions === undefined ? {} : { partitions }),
    })) as Produced
  try {
    // Nothing yet: whether the owner takes rows, and the topic is there, shows before the first is read.
    await append([])
  } catch (error) {
    client.close()
    throw error
  }
  const register = async (subject: string, { type, text }: ResolvedSchema) => {
    const asked = { op: 'register', subject, schemaType: type, schema: text } as const
    return ((await client.ask(asked)) as { readonly id: SchemaId }).id
  }
  return { append, register, close: async () => client.close() }
}

async function direct(request: TargetRequest, ports: Ports): Promise<RowTarget> {
  const { dataDirectory, fsync } = request
  const ownership = await takeOwnership({
    directory: dataDirectory,
    files: ports.files,
    random: ports.random,
    nowMs: ports.clock.nowMs(),
  })
  const log = openLog({ ports, dataDirectory, ...(fsync === undefined ? {} : { fsync }) })
  const append = (records: readonly ProducedRecord[]) => {
    ownership.assertCurrent()
    return appendRecords(ports, dataDirectory, { ...request, records })
  }
  const close = async () => {
    await log.close()
    await ownership.release()
  }
  try {
    await append([])
  } catch (error) {
    await close()
    throw error
  }
  const register = (subject: string, schema: ResolvedSchema) => {
    ownership.assertCurrent()
    return localSchemas(ports, dataDirectory).register(subject, schema)
  }
  return { append, register, close }
}

export interface AppendRequest {
  readonly topic: string
  readonly partitions?: number | undefined
  readonly records: readonly ProducedRecord[]
}

/** What an owner does with a produce request. The log is shared with whoever else writes it in this process. */
export async function appendRecords(
  ports: Ports,
  dataDirectory: string,
  { topic, partitions, records }: AppendRequest,
): Promise<Produced> {
  const log = openLog({ ports, dataDirectory })
  try {
    if (partitions !== undefined && log.topic(topic) === undefined)
      await log.createTopic(topic, { partitions }).catch(ignoreExists)
    const appended = await log.produce(topic, records.map(logRecord))
    return {
      appended: appended.reduce((sum, each) => sum + each.appended, 0),
      duplicates: appended.reduce((sum, each) => sum + each.duplicates, 0),
    }
  } finally {
    await log.close()
  }
}

const encoder = new TextEncoder()

function logRecord({ value, encoding, key, eventTimeMs, eventId }: ProducedRecord) {
  return {
    value: encoding === 'base64' ? Buffer.from(value, 'base64') : encoder.encode(value),
    ...(key === undefined ? {} : { key: encoder.encode(key) }),
    ...(eventTimeMs === undefined ? {} : { timestampMs: eventTimeMs }),
    ...(eventId === undefined ? {} : { eventId }),
  }
}

/** Two producers may both have found it missing. */
function ignoreExists(error: unknown): void {
  if (error instanceof MillraceError && error.code === 'LOG_TOPIC_EXISTS') return
  throw error
}
