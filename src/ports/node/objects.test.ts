import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { MillraceError } from '../../errors.ts'
import type { Files } from '../files.ts'
import type { ObjectStore } from '../objects.ts'
import { nodeFiles } from './files.ts'
import { localObjects } from './objects.ts'
import { nodeRandom } from './random.ts'

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString()
const bytesOf = (value: string) => new TextEncoder().encode(value)

test('what is put is read back, whole and by range, also from the end', async () => {
  await withStore(async (store) => {
    assert.equal(await store.put('a/b.json', bytesOf('hello')), 'created')
    assert.equal(text(await store.get('a/b.json')), 'hello')
    assert.equal(text(await store.getRange('a/b.json', 1, 2)), 'el')
    assert.equal(text(await store.getRange('a/b.json', -3, 10)), 'llo')
    assert.equal((await store.head('a/b.json'))?.bytes, 5)
    assert.equal(await store.get('a/none'), undefined)
    assert.equal(await store.head('a'), undefined)
    await store.remove('a/b.json')
    await store.remove('a/b.json')
    assert.equal(await store.get('a/b.json'), undefined)
  })
})

test('of many writers of one absent key exactly one creates it, and its bytes stay', async () => {
  await withStore(async (store) => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, writer) =>
        store.put('log/0.json', bytesOf(`${writer}`), { ifAbsent: true }),
      ),
    )
    const winner = answers.indexOf('created')
    assert.equal(answers.filter((answer) => answer === 'created').length, 1)
    assert.equal(answers.filter((answer) => answer === 'exists').length, 15)
    assert.equal(text(await store.get('log/0.json')), `${winner}`)
  })
})

test('a listing is in order of key, below the prefix, after a key, without temporary files', async () => {
  await withStore(async (store, root) => {
    for (const key of ['t/b', 't/a/2', 't/a/1', 't/a-x', 'u/z']) await store.put(key, bytesOf(''))
    writeFileSync(join(root, 't', '.b.00.tmp'), '')
    const keys = await keysOf(store, 't/')
    assert.deepEqual(keys, [...keys].sort())
    assert.deepEqual(keys, ['t/a-x', 't/a/1', 't/a/2', 't/b'])
    assert.deepEqual(await keysOf(store, 't/', 't/a/1'), ['t/a/2', 't/b'])
  })
})

test('a writer shows nothing before it finishes, and leaves nothing after an abort', async () => {
  await withStore(async (store, root) => {
    const writer = await store.writer('d/x.parquet')
    writer.write(bytesOf('ab'))
    assert.equal(await store.head('d/x.parquet'), undefined)
    writer.write(bytesOf('cd'))
    await writer.finish()
    assert.equal(text(await store.get('d/x.parquet')), 'abcd')
    const aborted = await store.writer('d/y.parquet')
    aborted.write(bytesOf('ab'))
    await aborted.abort()
    assert.deepEqual(readdirSync(join(root, 'd')), ['x.parquet'])
  })
})

test('a full device, a denied directory and any other failure are told apart', async () => {
  const failing: readonly [string, string][] = [
    ['ENOSPC', 'STORE_FULL'],
    ['EROFS', 'STORE_DENIED'],
    ['EIO', 'STORE_FAILED'],
  ]
  for (const [code, told] of failing) {
    const files: Files = {
      ...nodeFiles(),
      open() {
        throw Object.assign(new Error(code), { code })
      },
    }
    const store = localObjects(files, nodeRandom(), tmpdir())
    await assert.rejects(
      store.put('x', bytesOf('a')),
      (error) => error instanceof MillraceError && error.code === told,
    )
  }
})

test('a store of an unknown scheme is refused by name', () => {
  assert.throws(
    () => localObjects(nodeFiles(), nodeRandom(), 's3://bucket/t'),
    (error) => error instanceof MillraceError && error.code === 'STORE_UNSUPPORTED',
  )
})

async function keysOf(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, after === undefined ? {} : { after }))
    keys.push(key)
  return keys
}

async function withStore(body: (store: ObjectStore, root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'millrace-objects-'))
  try {
    await body(localObjects(nodeFiles(), nodeRandom(), root), root)
  } finally {
    rmSync(root, { recursive: true })
  }
}
