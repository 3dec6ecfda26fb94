import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodeClock } from './clock.ts'
import { nodeFiles } from './files.ts'

const files = nodeFiles()

test('a file is read straight into shared memory, from any position', () => {
  inDirectory((directory) => {
    const handle = files.open(join(directory, 'a'), 'write')
    handle.write(new Uint8Array([1, 2, 3, 4, 5]), 0)
    const shared = new Uint8Array(new SharedArrayBuffer(8))
    assert.equal(handle.read(shared.subarray(2), 3), 2)
    assert.deepEqual([...shared], [0, 0, 4, 5, 0, 0, 0, 0])
    handle.close()
  })
})

test('opening to write keeps what is there, and writes where it is told', () => {
  inDirectory((directory) => {
    const path = join(directory, 'a')
    const first = files.open(path, 'write')
    first.write(new Uint8Array([1, 2, 3]), 0)
    first.close()
    const second = files.open(path, 'write')
    second.write(new Uint8Array([9]), 1)
    const into = new Uint8Array(3)
    second.read(into, 0)
    assert.deepEqual([...into], [1, 9, 3])
    assert.equal(second.bytes(), 3)
    second.close()
  })
})

test('creating what exists, and linking over it, fail with EEXIST', async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, 'a')
    files.open(path, 'create').close()
    assert.throws(() => files.open(path, 'create'), { code: 'EEXIST' })
    assert.throws(() => files.link(path, path), { code: 'EEXIST' })
    assert.throws(() => files.open(join(directory, 'b'), 'read'), { code: 'ENOENT' })
    assert.equal(files.stat(join(directory, 'b')), undefined)
    await files.syncDirectory(directory)
  })
})

test('a sleep ends at once when its signal aborts, before or during it', async () => {
  const clock = nodeClock()
  const controller = new AbortController()
  const sleeping = clock.sleep(1_000_000, controller.signal)
  controller.abort()
  await sleeping
  await clock.sleep(1_000_000, controller.signal)
})

function inDirectory<Result>(body: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  let result: Result
  try {
    result = body(directory)
  } catch (error) {
    rmSync(directory, { recursive: true })
    throw error
  }
  if (!(result instanceof Promise)) rmSync(directory, { recursive: true })
  else result.finally(() => rmSync(directory, { recursive: true })).catch(() => {})
  return result
}
