import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { likePattern } from './patterns.ts'

test('LIKE with any number of wildcards is over at once', () => {
  const pattern = likePattern(`${'%a'.repeat(200)}%b`, undefined)
  assert.equal(pattern.test('a'.repeat(20_000)), false)
  assert.equal(pattern.test(`${'a'.repeat(20_000)}b`), true)
})

test('LIKE is what its pattern says of every character', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '%', '_', '😀', '.'), { maxLength: 8 }),
      fc.array(fc.constantFrom('a', '😀', '.', '\n'), { maxLength: 8 }),
      (parts, points) => {
        const source = parts.map((part) =>
          part === '%' ? '.*' : part === '_' ? '.' : part === '.' ? '\\.' : part,
        )
        const expected = new RegExp(`^${source.join('')}$`, 'su').test(points.join(''))
        assert.equal(likePattern(parts.join(''), undefined).test(points.join('')), expected)
      },
    ),
    { numRuns: 2000 },
  )
})
