import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import { simulatedPorts } from '../../testing/ports.ts'
import { type Action, type AddFile, commitText, parseCommit } from './actions.ts'
import { checkpointActions, writeCheckpoint } from './checkpoint.ts'
import { advance, loadSnapshot } from './log.ts'
import { checkpointKey, commitKey, expiredLogFiles, planReplay } from './log-files.ts'
import { Replay, type Snapshot } from './snapshot.ts'
import { schemaText } from './table-schema.ts'

const schemaString = schemaText([{ name: 'id', type: types.bigint }])
const start: readonly Action[] = [
  { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
  {
    metaData: {
      id: 'table',
      format: { provider: 'parquet', options: {} },
      schemaString,
      partitionColumns: ['day'],
      configuration: { 'delta.appendOnly': 'false' },
    },
  },
]

const names = fc.constantFrom('a', 'b', 'c', 'd e%20/f')
const action: fc.Arbitrary<Action> = fc.oneof(
  names.map((path) => ({ add: addOf(path) })),
  names.map((path) => ({ remove: { path, dataChange: true, deletionTimestamp: 5 } })),
  fc.record({ appId: names, version: fc.nat() }).map((txn) => ({ txn })),
  fc
    .record({ domain: names, configuration: fc.string(), removed: fc.boolean() })
    .map((domainMetadata) => ({ domainMetadata })),
)
const history = fc.array(fc.uniqueArray(action, { selector: kindAndName, maxLength: 5 }), {
  maxLength: 12,
})

test('a log gives the same table with a checkpoint at any version, or at none, or after a cleanup', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.nat(12), async (commits, at) => {
      const store = emptyStore()
      await putCommits(store, [start, ...commits])
      const plain = (await loadSnapshot(store))!
      assert.deepEqual(contents(plain), recount(commits))
      const version = Math.min(at, commits.length)
      await writeCheckpoint(store, (await loadSnapshot(store, version))!, 10)
      assert.deepEqual(contents((await loadSnapshot(store))!), contents(plain))
      for (let old = 0; old < version; old++) await store.remove(commitKey(old))
      assert.deepEqual(contents((await loadSnapshot(store))!), contents(plain))
    }),
    { numRuns: 40 },
  )
})

test('going on from any version reaches what reading all of the log reaches', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.nat(12), async (commits, at) => {
      const store = emptyStore()
      await putCommits(store, [start, ...commits])
      const early = (await loadSnapshot(store, Math.min(at, commits.length)))!
      const later = (await advance(store, early))!
      assert.deepEqual(contents(later.snapshot), recount(commits))
      assert.equal(later.commits.length, commits.length - early.version)
    }),
    { numRuns: 40 },
  )
})

test('a checkpoint keeps every member of what it holds', async () => {
  const store = emptyStore()
  const add: AddFile = {
    ...addOf('day=1/a.parquet'),
    partitionValues: { day: '1', other: null },
    stats: '{"numRecords":3}',
    tags: { 'millrace.bucket': '7' },
    baseRowId: 4,
  }
  await putCommits(store, [
    [...start, { add }, { txn: { appId: 'x', version: 2 ** 50, lastUpdated: 9 } }],
  ])
  const before = (await loadSnapshot(store))!
  await writeCheckpoint(store, before, 10)
  await store.remove(commitKey(0))
  const after = (await loadSnapshot(store))!
  assert.deepEqual(after.files.get(add.path), { ...add, dataChange: false })
  assert.deepEqual(after.metadata, before.metadata)
  assert.deepEqual(after.protocol, before.protocol)
  assert.deepEqual(after.transactions, before.transactions)
})

test('expired tombstones leave the checkpoint', () => {
  const replay = new Replay()
  const old = { path: 'old', dataChange: true, deletionTimestamp: 0 }
  const young = { path: 'young', dataChange: true, deletionTimestamp: 8 * 86_400_000 }
  replay.commit(0, [...start, { remove: old }, { remove: young }])
  const kept = checkpointActions(replay.snapshot(), 9 * 86_400_000).flatMap(
    (one) => one.remove ?? [],
  )
  assert.deepEqual(
    kept.map(({ path }) => path),
    ['young'],
  )
})

test('a corrupt log is refused with its file and line', async () => {
  const cases: readonly [string, RegExp][] = [
    ['{"commitInfo":{}}\nnot json\n', /'_delta_log\/0{19}1\.json': line 2 is not JSON/],
    ['{"add":{"path":"x"}}\n', /line 1 has an invalid 'add\.partitionValues'/],
    ['[]\n', /line 1 is not an action/],
    ['{"txn":{"appId":"x","version":"seven"}}', /line 1 has an invalid 'txn\.version'/],
    ['{"commitInfo"', /line 1 is not JSON/],
  ]
  for (const [text, message] of cases) {
    const store = emptyStore()
    await putCommits(store, [start])
    await store.put(commitKey(1), new TextEncoder().encode(text))
    await assert.rejects(loadSnapshot(store), refusal('DELTA_LOG_CORRUPT', message))
  }
  const store = emptyStore()
  await putCommits(store, [start])
  await store.put(commitKey(1), new Uint8Array([0xff, 0xfe]))
  await assert.rejects(
    loadSnapshot(store),
    refusal('DELTA_LOG_CORRUPT', /1\.json': it is not UTF-8/),
  )
})

test('a commit that is missing among others, and a damaged checkpoint, are named', async () => {
  const store = emptyStore()
  await putCommits(store, [start, [], []])
  await store.remove(commitKey(1))
  await assert.rejects(
    loadSnapshot(store),
    refusal('DELTA_LOG_CORRUPT', /0{19}1\.json': it is missing/),
  )
  await store.put(commitKey(1), new Uint8Array())
  await writeCheckpoint(store, (await loadSnapshot(store))!, 0)
  const key = checkpointKey(2)
  const bytes = (await store.get(key))!
  await store.put(key, bytes.subarray(0, bytes.length - 20))
  await assert.rejects(loadSnapshot(store), refusal('DELTA_LOG_CORRUPT', /2\.checkpoint\.parquet'/))
})

test('a stale or broken hint to the last checkpoint does no harm', async () => {
  const store = emptyStore()
  await putCommits(store, [start, [{ add: addOf('a') }], []])
  for (const hint of ['{"version":7}', '{"version":1}', 'broken', '{}']) {
    await store.put('_delta_log/_last_checkpoint', new TextEncoder().encode(hint))
    assert.deepEqual([...(await loadSnapshot(store))!.files.keys()], ['a'])
  }
})

test('a table that only a v2 checkpoint reaches is refused by that feature', async () => {
  const store = emptyStore()
  const empty = new Uint8Array()
  await store.put('_delta_log/00000000000000000003.checkpoint.80a083e8-7026.parquet', empty)
  await store.put(commitKey(4), empty)
  await assert.rejects(loadSnapshot(store), refusal('DELTA_FEATURE_UNSUPPORTED', /v2Checkpoint/))
})

test('a store without a log has no table', async () => {
  assert.equal(await loadSnapshot(emptyStore()), undefined)
})

test('multi-part checkpoints count only when all parts are there', () => {
  const part = (n: number) =>
    `_delta_log/00000000000000000002.checkpoint.000000000${n}.0000000002.parquet`
  const commits = [0, 1, 2, 3].map(commitKey)
  assert.equal(planReplay([...commits, part(1)]).checkpoint, undefined)
  const whole = planReplay([...commits, part(1), part(2)])
  assert.deepEqual(whole.checkpoint, { version: 2, keys: [part(1), part(2)] })
  assert.deepEqual(whole.commits, [3])
})

test('a cleanup keeps the newest checkpoint before the cutoff and all after it', () => {
  const files = [0, 1, 2, 3, 4, 5].map((version) => ({
    key: commitKey(version),
    modifiedMs: version,
  }))
  const checkpoints = [2, 4].map((version) => ({
    key: checkpointKey(version),
    modifiedMs: version,
  }))
  const all = [...files, ...checkpoints]
  assert.deepEqual(expiredLogFiles(all, 3), [commitKey(0), commitKey(1)])
  assert.deepEqual(expiredLogFiles(all, 9), [0, 1, 2, 3].map(commitKey).concat(checkpointKey(2)))
  assert.deepEqual(expiredLogFiles(files, 9), [])
})

test('actions that are not known are passed over, and null members are none', () => {
  const text =
    '{"cdc":{"path":"x"}}\n{"add":null,"future":{}}\n\n{"remove":{"path":"a","dataChange":true,"size":null}}'
  assert.deepEqual(parseCommit('k', text), [{ remove: { path: 'a', dataChange: true } }])
})

function addOf(path: string): AddFile {
  return { path, partitionValues: { day: path }, size: 1, modificationTime: 2, dataChange: true }
}

/** A commit names each thing once. */
function kindAndName({ add, remove, txn, domainMetadata }: Action): string {
  return add?.path ?? remove?.path ?? `${txn?.appId}|${domainMetadata?.domain}`
}

function emptyStore(): ObjectStore {
  return simulatedPorts(1).objects('/t')
}

async function putCommits(store: ObjectStore, commits: readonly (readonly Action[])[]) {
  for (const [version, actions] of commits.entries()) {
    await store.put(commitKey(version), new TextEncoder().encode(commitText(actions)))
  }
}

function contents(snapshot: Snapshot) {
  return {
    files: [...snapshot.files.keys()].sort(),
    transactions: Object.fromEntries(
      [...snapshot.transactions].map(([appId, { version }]) => [appId, version]),
    ),
    domains: Object.fromEntries(
      [...snapshot.domains].map(([domain, { configuration }]) => [domain, configuration]),
    ),
  }
}

/** The oracle: last mention wins. */
function recount(commits: readonly (readonly Action[])[]) {
  const files = new Set<string>()
  const transactions: Record<string, number> = {}
  const domains: Record<string, string> = {}
  for (const { add, remove, txn, domainMetadata } of commits.flat()) {
    if (add) files.add(add.path)
    if (remove) files.delete(remove.path)
    if (txn) transactions[txn.appId] = txn.version
    if (domainMetadata?.removed) delete domains[domainMetadata.domain]
    else if (domainMetadata) domains[domainMetadata.domain] = domainMetadata.configuration
  }
  return { files: [...files].sort(), transactions, domains }
}

function refusal(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}
