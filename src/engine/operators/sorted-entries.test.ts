import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { sortedEntries } from './sorted-entries.ts'

test('entries come and go as in a sorted array, ties in the order in which they came', () => {
  const step = fc.record({ key: fc.nat(40), removes: fc.boolean(), which: fc.nat() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2500, minLength: 1500 }), (steps) => {
      const keys = new Map<number, number>()
      const compare = (a: number, b: number): number => keys.get(a)! - keys.get(b)!
      const entries = sortedEntries([])
      let model: number[] = []
      steps.forEach(({ key, removes, which }, index) => {
        if (removes && model.length > 0) {
          const [gone] = model.splice(which % model.length, 1)
          entries.remove(gone!, compare)
        } else {
          const entry = index + 1
          keys.set(entry, key)
          const next = entries.insert(entry, compare)
          model = [...model, entry].toSorted(compare)
          assert.equal(next, model[model.indexOf(entry) + 1] ?? 0)
        }
        assert.equal(entries.size, model.length)
        const first = model.find((entry) => keys.get(entry)! >= key) ?? 0
        assert.equal(
          entries.first((entry) => keys.get(entry)! < key),
          first,
        )
      })
    }),
    { numRuns: 8 },
  )
})
