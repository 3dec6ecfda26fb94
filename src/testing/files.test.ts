import assert from 'node:assert/strict'
import test from 'node:test'
import { type SimulatedFiles, simulatedFiles } from './files.ts'
import { simulatedRandom } from './random.ts'

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed)

test('after a power cut what was synced is there, and of the rest each write whole, torn or not at all', async () => {
  const outcomes = new Set<string>()
  for (const seed of SEEDS) {
    const files = simulated(seed)
    files.makeDirectory('/d')
    await files.syncDirectory('/')
    const file = files.open('/d/a', 'create')
    file.write(new Uint8Array([1, 1, 1, 1]), 0)
    await file.sync()
    await files.syncDirectory('/d')
    file.write(new Uint8Array([2, 2, 2, 2]), 4)
    files.crash('power')
    assert.throws(() => file.write(new Uint8Array(1), 0), { code: 'EBADF' })
    const left = files.contents('/d/a')
    assert.deepEqual([...left.subarray(0, 4)], [1, 1, 1, 1])
    assert.ok(left.subarray(4).every((byte) => byte === 2))
    outcomes.add(String(left.length))
  }
  assert.deepEqual([...outcomes].sort(), ['4', '5', '6', '7', '8'])
})

test('a name that was not synced may be gone, and takes what is below it along', async () => {
  const outcomes = new Set<string>()
  for (const seed of SEEDS) {
    const files = simulated(seed)
    files.makeDirectory('/d')
    const file = files.open('/d/a', 'create')
    await file.sync()
    await files.syncDirectory('/d')
    files.crash('power')
    outcomes.add(`${files.exists('/d')} ${files.exists('/d/a')}`)
  }
  assert.deepEqual([...outcomes].sort(), ['false false', 'true true'])
})

test('a rename is there whole or not at all', async () => {
  const outcomes = new Set<string>()
  for (const seed of SEEDS) {
    const files = simulated(seed)
    for (const [path, byte] of [
      ['/a', 1],
      ['/a.tmp', 2],
    ] as const) {
      const file = files.open(path, 'create')
      file.write(new Uint8Array([byte]), 0)
      await file.sync()
    }
    await files.syncDirectory('/')
    files.rename('/a.tmp', '/a')
    files.crash('power')
    outcomes.add(`${files.list('/')} ${files.contents('/a')}`)
  }
  assert.deepEqual([...outcomes].sort(), ['a 2', 'a,a.tmp 1'])
})

test('a kill takes nothing, and the nth call fails as it was told to', async () => {
  const files = simulated(1)
  const file = files.open('/a', 'write')
  files.fail({ call: 'write', code: 'ENOSPC', nth: 2, bytesWritten: 1 })
  file.write(new Uint8Array([1, 2]), 0)
  assert.throws(() => file.write(new Uint8Array([3, 4]), 2), { code: 'ENOSPC' })
  file.write(new Uint8Array([5]), 3)
  files.crash('kill')
  assert.deepEqual([...files.contents('/a')], [1, 2, 3, 5])
})

test('what a failed sync should have written reads well until the power goes', async () => {
  const files = simulated(1)
  const file = files.open('/a', 'write')
  await files.syncDirectory('/')
  file.write(new Uint8Array([1]), 0)
  files.fail({ call: 'sync', code: 'EIO', nth: 1 })
  await assert.rejects(file.sync(), { code: 'EIO' })
  await file.sync()
  assert.deepEqual([...files.contents('/a')], [1])
  files.crash('power')
  assert.deepEqual([...files.contents('/a')], [])
})

test('one seed gives one history', () => {
  const history = (seed: number) => {
    const files = simulated(seed)
    const file = files.open('/a', 'write')
    for (let index = 0; index < 10; index++) file.write(new Uint8Array(10).fill(index), index * 10)
    files.crash('power')
    return files.exists('/a') ? [...files.contents('/a')] : 'gone'
  }
  for (const seed of SEEDS) assert.deepEqual(history(seed), history(seed))
})

function simulated(seed: number): SimulatedFiles {
  return simulatedFiles(simulatedRandom(seed), () => 0)
}
