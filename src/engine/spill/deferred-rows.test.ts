import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, rowsOf } from '../../../test/builders/batch.ts'
import { fc } from '../../../test/builders/properties.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { spillFile } from '../../state/spill-file.ts'
import { simulatedPorts } from '../../testing/ports.ts'
import { deferredRows, replayChunk } from './deferred-rows.ts'

const memory = new LinearMemory()
const SCHEMAS: readonly Schema[] = [
  [{ name: 's', type: types.string }],
  [
    { name: 'n', type: types.bigint },
    { name: 's', type: types.string },
  ],
]
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constant(null))
const step = fc.record({
  input: fc.constantFrom(0, 1),
  watermarkUs: fc.nat(3).map(BigInt),
  texts: fc.array(text, { minLength: 1, maxLength: 8 }),
})
const steps = fc.array(step, { maxLength: 20 })

type Dealt = readonly [input: number, watermarkUs: bigint, row: string]

test('rows come back in their order, with their input and watermark, also from chunks of a checkpoint', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(32, 400, 60_000), (given, bufferBytes) => {
      const file = spillFile(simulatedPorts(1).files, '/spill/0.spill')
      const log = deferredRows({ memory, file, schemas: SCHEMAS, bufferBytes, minds: true })
      const wanted: Dealt[] = []
      for (const { input, watermarkUs, texts } of given) {
        const mark = memory.arena.mark()
        const rows = texts.map((s, at) => (input === 0 ? [s] : [BigInt(at), s]))
        log.add(batchOf(memory, SCHEMAS[input]!, rows), input, watermarkUs, 1)
        memory.arena.release(mark)
        wanted.push(...rows.map((row): Dealt => [input, watermarkUs, shown(row)]))
      }
      assert.equal(log.rows, wanted.length)
      const { added } = log.changes()
      const fromChunks: Dealt[] = []
      for (const { bytes } of added)
        replayChunk({ memory, schemas: SCHEMAS }, bytes, dealsTo(fromChunks))
      assert.deepEqual(fromChunks, wanted)
      const fromLog: Dealt[] = []
      log.replay(dealsTo(fromLog))
      assert.deepEqual(fromLog, wanted)
      assert.equal(log.rows, 0)
      assert.deepEqual(log.changes(), { added: [], removed: added.map(({ number }) => number) })
      assert.equal(file.bytesUsed, 0)
      file.close()
    }),
    { numRuns: 100 },
  )
})

function dealsTo(dealt: Dealt[]): Parameters<ReturnType<typeof deferredRows>['replay']>[0] {
  return (batch, input, watermarkUs) => {
    for (const row of rowsOf(memory, batch)) dealt.push([input, watermarkUs, shown(row)])
  }
}

function shown(row: readonly unknown[]): string {
  return row
    .map((value) => (typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)))
    .join()
}
