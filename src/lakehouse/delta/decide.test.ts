import assert from 'node:assert/strict'
import test from 'node:test'
import { types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { AddFile, Metadata, Protocol } from './actions.ts'
import { compactionGroups } from './compaction.ts'
import { type CommitAttempt, commitActions, type Decision, decideCommit } from './decide.ts'
import { checkReadable, checkWritable, protocolFor } from './protocol.ts'
import type { Snapshot } from './snapshot.ts'
import { schemaText } from './table-schema.ts'
import { vacuumable } from './vacuum.ts'

const metadata: Metadata = {
  id: 'table',
  format: { provider: 'parquet', options: {} },
  schemaString: schemaText([{ name: 'id', type: types.bigint }]),
  partitionColumns: [],
  configuration: {},
}
const protocol = protocolFor(false)
const stamp = { nowMs: 1, txnId: 'x', engine: 'test' }

test('what happened since decides: written, known, stale, or refused with a remedy', () => {
  const append = attemptOf({})
  const rewrite = attemptOf({
    removes: [{ path: 'a', dataChange: true }],
    rewrites: { isTouched: (file) => file.tags?.b === '1', paths: new Set(['a']) },
  })
  const cases: readonly [string, CommitAttempt, Partial<Snapshot>, Decision['kind'], RegExp?][] = [
    ['nothing', append, {}, 'write'],
    ['another append', append, { files: filesOf('x', 'y'), version: 9 }, 'write'],
    ['our own commit', append, { transactions: new Map([['app', { version: 5 }]]) }, 'already'],
    ['our earlier one', append, { transactions: new Map([['app', { version: 4 }]]) }, 'write'],
    [
      'a later run',
      append,
      { transactions: new Map([['app', { version: 6 }]]) },
      'conflicted',
      /leftover|another run/,
    ],
    ['a property', append, { metadata: { ...metadata, configuration: { x: 'y' } } }, 'write'],
    ['a new column', append, { metadata: withSchema('{"new":"nullable"}') }, 'write'],
    ['a changed column', append, { metadata: withSchema('changed') }, 'conflicted', /'id' is gone/],
    [
      'other partitions',
      append,
      { metadata: { ...metadata, partitionColumns: ['day'] } },
      'conflicted',
      /\(day\)/,
    ],
    [
      'another table',
      append,
      { metadata: { ...metadata, id: 'other' } },
      'conflicted',
      /made again/,
    ],
    ['a new feature', append, { protocol: upgraded('rowTracking') }, 'conflicted', /rowTracking/],
    [
      'our domain',
      append,
      { domains: new Map([['d', { domain: 'd', configuration: 'theirs', removed: false }]]) },
      'conflicted',
      /domain 'd'/,
    ],
    ['a removed file', rewrite, { files: filesOf('b') }, 'stale', /'a' was removed/],
    ['an untouched file', rewrite, { files: filesOf('a', 'b') }, 'write'],
    [
      'a file in our bucket',
      rewrite,
      { files: new Map([...filesOf('a'), ['n', { ...addOf('n'), tags: { b: '1' } }]]) },
      'stale',
      /'n' was added/,
    ],
    [
      'append-only now',
      rewrite,
      {
        files: filesOf('a'),
        metadata: { ...metadata, configuration: { 'delta.appendOnly': 'true' } },
      },
      'conflicted',
      /append-only/,
    ],
  ]
  for (const [since, attempt, latest, kind, reason] of cases) {
    const decision = decideCommit(attempt, snapshotOf(latest))
    assert.equal(decision.kind, kind, since)
    if (reason !== undefined) assert.match(JSON.stringify(decision), reason, since)
  }
  const next = decideCommit(append, snapshotOf({ version: 9 }))
  assert.deepEqual(next, { kind: 'write', version: 10 })
})

test('a commit carries its transaction, and its positions where the table may keep them', () => {
  const actions = commitActions(attemptOf({}), snapshotOf({}), stamp)
  assert.deepEqual(
    actions.map((action) => Object.keys(action)[0]),
    ['commitInfo', 'txn', 'domainMetadata', 'add'],
  )
  const older = snapshotOf({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
  const plain = commitActions(attemptOf({}), older, stamp)
  assert.deepEqual(
    plain.map((action) => Object.keys(action)[0]),
    ['commitInfo', 'txn', 'add'],
  )
  assert.equal(plain[0]?.commitInfo?.positions, 'ours')
})

test('features that Millrace does not know are refused by name, those not in use are not in the way', () => {
  const reader = (...readerFeatures: string[]): Protocol => ({
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures,
    writerFeatures: readerFeatures,
  })
  for (const feature of [
    'deletionVectors',
    'columnMapping',
    'v2Checkpoint',
    'variantType',
    'typeWidening',
  ]) {
    assert.throws(() => checkReadable('t', reader(feature), metadata), refusal(new RegExp(feature)))
  }
  checkReadable('t', reader('timestampNtz'), metadata)
  const mapped = { ...metadata, configuration: { 'delta.columnMapping.mode': 'name' } }
  assert.throws(
    () => checkReadable('t', { minReaderVersion: 2, minWriterVersion: 5 }, mapped),
    refusal(/columnMapping/),
  )
  const writer = (version: number): Protocol => ({ minReaderVersion: 1, minWriterVersion: version })
  for (const version of [2, 3, 4, 6]) checkWritable('t', writer(version), metadata)
  const uses: readonly [number, Partial<Metadata>, RegExp][] = [
    [3, { configuration: { 'delta.constraints.positive': 'id > 0' } }, /checkConstraints/],
    [4, { configuration: { 'delta.enableChangeDataFeed': 'true' } }, /changeDataFeed/],
    [4, { schemaString: '{"delta.generationExpression":"x"}' }, /generatedColumns/],
    [6, { schemaString: '{"delta.identity.start":1}' }, /identityColumns/],
    [2, { schemaString: '{"delta.invariants":"x"}' }, /invariants/],
    [8, {}, /writer version 8/],
  ]
  for (const [version, used, message] of uses) {
    assert.throws(
      () => checkWritable('t', writer(version), { ...metadata, ...used }),
      refusal(message),
    )
  }
})

test('a vacuum takes old files that nothing references, and no one else’s', () => {
  const snapshot = snapshotOf({
    files: filesOf('live.parquet', 'day=1/x%20y.parquet'),
    tombstones: new Map([
      ['young.parquet', { path: 'young.parquet', dataChange: true, deletionTimestamp: 60 }],
      ['dead.parquet', { path: 'dead.parquet', dataChange: true, deletionTimestamp: 10 }],
    ]),
  })
  const old = [
    'live.parquet',
    'day=1/x y.parquet',
    'young.parquet',
    'dead.parquet',
    'orphan.parquet',
    '_delta_log/0.json',
    '_other/x',
    '_millrace/changes/x.parquet',
  ]
  const files = [
    ...old.map((key) => ({ key, modifiedMs: 1 })),
    { key: 'prepared.parquet', modifiedMs: 70 },
  ]
  assert.deepEqual(vacuumable('file:///t', snapshot, files, 50), [
    'dead.parquet',
    'orphan.parquet',
    '_millrace/changes/x.parquet',
  ])
})

test('compaction gathers small files of one partition, not tagged ones, not few', () => {
  const small = (partition: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      ...addOf(`${partition}${at}`),
      partitionValues: { p: partition },
    }))
  const files = [
    ...small('a', 9),
    ...small('b', 3),
    ...small('c', 20).map((file) => ({ ...file, tags: { bucket: '1' } })),
    ...small('d', 20).map((file) => ({ ...file, size: 900 })),
  ]
  const groups = compactionGroups(files, 1000)
  assert.deepEqual(
    groups.map((group) => group.map(({ path }) => path)),
    [small('a', 9).map(({ path }) => path)],
  )
})

function attemptOf(changed: Partial<CommitAttempt>): CommitAttempt {
  return {
    transaction: { appId: 'app', version: 5 },
    domain: { name: 'd', configuration: 'ours' },
    operation: 'WRITE',
    parameters: {},
    adds: [addOf('new')],
    removes: [],
    rearranges: false,
    base: {
      version: 3,
      protocol,
      metadata,
      schemaProblem: ({ schemaString }) =>
        schemaString === 'changed' ? "'id' is gone" : undefined,
    },
    ...changed,
  }
}

function snapshotOf(changed: Partial<Snapshot>): Snapshot {
  return {
    version: 3,
    protocol,
    metadata,
    files: new Map(),
    tombstones: new Map(),
    transactions: new Map(),
    domains: new Map(),
    ...changed,
  }
}

function withSchema(schemaString: string): Metadata {
  return { ...metadata, schemaString }
}

function upgraded(feature: string): Protocol {
  return { ...protocol, writerFeatures: [...(protocol.writerFeatures ?? []), feature] }
}

function addOf(path: string): AddFile {
  return { path, partitionValues: {}, size: 10, modificationTime: 0, dataChange: true }
}

function filesOf(...paths: readonly string[]): Map<string, AddFile> {
  return new Map(paths.map((path) => [path, addOf(path)]))
}

function refusal(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, 'DELTA_FEATURE_UNSUPPORTED')
    assert.match(error.message, message)
    return true
  }
}
