/**
 * The registry's topic: a compacted one of a single partition in the embedded log. Whoever owns the data directory writes it; everyone may read.
 */
import { resolve } from 'node:path'
import type { LogRecord } from '../log/batch-builder.ts'
import { openLog } from '../log/log.ts'
import { readPartition } from '../log/read-partition.ts'
import { describeTopic } from '../log/topics.ts'
import type { Files } from '../ports/files.ts'
import type { Ports } from '../ports/ports.ts'
import { type RegistryChange, readChange, SCHEMAS_TOPIC, writeChange } from './entries.ts'
import { createRegistryState, type RegistryState } from './state.ts'

export interface RegistryReader {
  readonly state: RegistryState
  /** Takes in what has been written since. */
  refresh(): void
}

export interface RegistryStore {
  readonly state: RegistryState
  /**
   * Runs `decide` on the state while nobody else changes it; what it returns is durable, and in the state, when this resolves.
   */
  change<Result>(decide: (state: RegistryState) => Decision<Result>): Promise<Result>
  close(): Promise<void>
}

export interface Decision<Result> {
  readonly changes: readonly RegistryChange[]
  readonly result: Result
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const BATCH_RECORDS = 1000

/** The registry of a data directory, as far as it is published; empty while it has none. */
export function readRegistry(ports: Ports, dataDirectory: string): RegistryReader {
  const state = createRegistryState()
  let offset = 0
  const refresh = (): void => {
    if (describeTopic(ports, dataDirectory, SCHEMAS_TOPIC) === undefined) return
    const place = { ports, dataDirectory, topic: SCHEMAS_TOPIC, partition: 0 }
    for (;;) {
      const records = readPartition(place, offset, BATCH_RECORDS)
      for (const { key, value, offset: at } of records) {
        offset = at + 1
        if (key === null) continue
        const change = readChange({
          key: decoder.decode(key),
          value: value === null ? null : decoder.decode(value),
        })
        if (change !== undefined) state.apply(change)
      }
      if (records.length < BATCH_RECORDS) return
    }
  }
  refresh()
  return { state, refresh }
}

interface SharedStore {
  readonly store: Promise<RegistryStore>
  users: number
}

const opened = new WeakMap<Files, Map<string, SharedStore>>()

/** For the owner of the directory alone. Opened twice in a process it is the same, and closes with its last user. */
export async function openRegistryStore(
  ports: Ports,
  dataDirectory: string,
): Promise<RegistryStore> {
  const byDirectory = opened.get(ports.files) ?? new Map<string, SharedStore>()
  opened.set(ports.files, byDirectory)
  const key = resolve(dataDirectory)
  const shared = byDirectory.get(key) ?? { store: openStore(ports, dataDirectory), users: 0 }
  byDirectory.set(key, shared)
  shared.users++
  const leave = (): boolean => {
    if (--shared.users > 0) return false
    byDirectory.delete(key)
    return true
  }
  const store = await shared.store.catch((error: unknown) => {
    leave()
    throw error
  })
  return { ...store, close: async () => (leave() ? store.close() : undefined) }
}

async function openStore(ports: Ports, dataDirectory: string): Promise<RegistryStore> {
  const log = openLog({ ports, dataDirectory })
  // Opened for writing, the partition is recovered: then all that was acknowledged is published.
  if (log.topic(SCHEMAS_TOPIC) !== undefined) await log.partition(SCHEMAS_TOPIC, 0)
  const reader = readRegistry(ports, dataDirectory)
  let last: Promise<unknown> = Promise.resolve()
  const append = async (changes: readonly RegistryChange[]): Promise<void> => {
    if (log.topic(SCHEMAS_TOPIC) === undefined)
      await log.createTopic(SCHEMAS_TOPIC, { settings: { 'cleanup.policy': 'compact' } })
    await log.append(SCHEMAS_TOPIC, 0, changes.map(recordOf))
    reader.refresh()
  }
  return {
    state: reader.state,
    change(decide) {
      const next = last.then(async () => {
        const { changes, result } = decide(reader.state)
        if (changes.length > 0) await append(changes)
        return result
      })
      last = next.catch(() => undefined)
      return next
    },
    async close() {
      await last
      await log.close()
    },
  }
}

function recordOf(change: RegistryChange): LogRecord {
  const { key, value } = writeChange(change)
  return { key: encoder.encode(key), value: value === null ? null : encoder.encode(value) }
}
