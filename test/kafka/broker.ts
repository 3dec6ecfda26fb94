/** The broker of these tests, and ways to it that share no code with the connector but the client's administration. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Admin } from '@platformatic/kafka'
import { KAFKA, kafkaTool } from '../../scripts/engines/kafka.ts'

const CACHE = resolve('.cache/interop')
const PYTHON = resolve(CACHE, 'confluent/bin/python')
const PEER = resolve('test/kafka/librdkafka_peer.py')

let count = 0

/** A name that no other test uses. */
export function uniqueTopic(stem: string): string {
  return `${stem}-${process.pid}-${Date.now().toString(36)}-${count++}`
}

export async function createTopic(
  name: string,
  partitions = 1,
  configs: Readonly<Record<string, string>> = {},
): Promise<string> {
  await administer((admin) =>
    admin.createTopics({
      topics: [name],
      partitions,
      replicas: 1,
      // Records of these tests are old: none must go by age meanwhile.
      configs: Object.entries({ 'retention.ms': '-1', ...configs }).map(([key, value]) => ({
        name: key,
        value,
      })),
    }),
  )
  return name
}

export async function administer<Result>(act: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [KAFKA] })
  try {
    return await act(admin)
  } finally {
    await admin.close()
  }
}

/** Python with librdkafka's client. */
export function fetchLibrdkafka(): void {
  if (existsSync(resolve(CACHE, 'confluent/.done'))) return
  execFileSync('python3', ['-m', 'venv', '--clear', resolve(CACHE, 'confluent')], {
    stdio: 'inherit',
  })
  execFileSync(PYTHON, ['-m', 'pip', 'install', '-q', 'confluent-kafka==2.16.1'], {
    stdio: 'inherit',
  })
  writeFileSync(resolve(CACHE, 'confluent/.done'), '')
}

export interface PeerRecord {
  readonly key?: string | null
  readonly value: string | null
  readonly headers?: readonly (readonly [string, string | null])[]
  readonly timestampMs?: number
  readonly partition?: number
  readonly offset?: number
}

export interface PeerProduce {
  readonly servers?: string
  readonly topic: string
  readonly records: readonly PeerRecord[]
  readonly config?: Readonly<Record<string, string>>
  /** In order: each so many records, then committed or aborted. */
  readonly transactions?: readonly { readonly count: number; readonly commit: boolean }[]
}

/** Produces with librdkafka. */
export function produceWithLibrdkafka(request: PeerProduce): Promise<unknown> {
  return peer({ act: 'produce', servers: KAFKA, ...request })
}

/** All that librdkafka reads now, from the beginning, by partition and offset. */
export async function consumeWithLibrdkafka(
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed',
): Promise<PeerRecord[]> {
  return (await peer({ act: 'consume', servers: KAFKA, topic, isolation })) as PeerRecord[]
}

function peer(request: unknown): Promise<unknown> {
  return new Promise((resolve_, reject) => {
    const child = spawn(PYTHON, [PEER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    child.on('close', (code) => {
      if (code === 0) resolve_(JSON.parse(Buffer.concat(pieces).toString('utf8')))
      else reject(new Error(`librdkafka's peer ended with ${code}`))
    })
    child.stdin.end(JSON.stringify(request))
  })
}

/** What Java's console consumer reads with `read_committed`: one line a value. It ends at `count` of them, or when no more come for ten seconds. */
export function consumeWithJava(topic: string, count: number, servers: string = KAFKA): string[] {
  const args = [
    ...['--bootstrap-server', servers, '--topic', topic, '--from-beginning'],
    ...['--max-messages', String(count), '--timeout-ms', '10000'],
    ...['--isolation-level', 'read_committed'],
  ]
  const lines = kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', args).split('\n')
  return lines.filter((line) => line !== '')
}
