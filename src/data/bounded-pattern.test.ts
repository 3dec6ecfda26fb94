import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { allFound, boundedPattern } from './bounded-pattern.ts'

class Refused extends Error {}

function refuse(reason: string): never {
  throw new Refused(reason)
}

const HOSTILE_TEXT = `${'a'.repeat(2000)}!`

/** Each would take for ever. */
const HOSTILE: readonly (readonly [source: string, finds: number])[] = [
  ['(a+)+$', 0],
  ['^(a|a)*$', 0],
  ['^(a|aa)+$', 0],
  ['(.*)*x', 0],
  ['(a*)*(a*)*(a*)*b', 0],
  ['.*.*.*.*.*.*=', 0],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', 0],
  ['((a{1,10}){1,10}){1,10}b', 0],
  [`${'a?'.repeat(40)}${'a'.repeat(40)}`, 25],
  ['(?:a+)+!', 1],
  ['(\\w+\\s?)*$', 1],
]

test('patterns that were made to take for ever find what there is', () => {
  for (const [source, finds] of HOSTILE) {
    for (const flags of ['g', 'gu', 'gi']) {
      const found = [...allFound(boundedPattern(new RegExp(source, flags), refuse), HOSTILE_TEXT)]
      assert.equal(found.length, finds, `${source} ${flags}`)
    }
  }
})

test('a text is refused for which nothing bounds the steps', () => {
  const nested = `${'(a'.repeat(300)}${')*'.repeat(300)}`
  const long = `${'(a)'.repeat(4000)}(a+)+`
  for (const source of ['(a+)+(?=x)', '(a+)+\\1x', '((a{1,1000}){1,1000}){1,1000}b', nested, long])
    assert.throws(
      () => boundedPattern(new RegExp(source, 'g'), refuse).find(HOSTILE_TEXT, 0),
      Refused,
    )
  const text = 'a'.repeat(10_000_000)
  assert.throws(() => boundedPattern(/(a+)+b/g, refuse).find(text, 0), Refused)
})

const character = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '😀', '\\.')
const times = fc.constantFrom('', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{2,}')
const { pattern } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('\\b', '^', '$'),
    fc.tuple(character, times).map((parts) => parts.join('')),
    fc.tuple(fc.constantFrom('(', '(?:'), tie('pattern')).map(([open, body]) => `${open}${body})`),
    // What is repeated is never empty: there matchers differ, and Java's too.
    fc
      .tuple(character, tie('pattern'), times)
      .map(([one, body, often]) => `(${one}(?:${body}))${often}`),
  ),
  pattern: fc.oneof(
    fc.array(tie('piece'), { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join('')),
    fc.tuple(tie('piece'), tie('piece')).map(([left, right]) => `${left}|${right}`),
  ),
}))
// JavaScript's matcher is the oracle: on texts this short it comes to an end whatever the pattern.
const text = fc
  .array(fc.constantFrom('a', 'b', '.', ' ', '\n', '😀'), { maxLength: 7 })
  .map((all) => all.join(''))

test('what is found is what JavaScript finds, groups too', () => {
  fc.assert(
    fc.property(
      pattern,
      text,
      fc.constantFrom('gu', 'gsu', 'gmu', 'giu'),
      (source, given, flags) => {
        // Repeated choices always go the bounded way.
        const repeated = new RegExp(`(?:[ab](?:${source}))+`, flags)
        const found = boundedPattern(repeated, refuse).find(given, 0)
        repeated.lastIndex = 0
        const native = repeated.exec(given)
        assert.deepEqual(
          [found?.start, found && [...found.groups]],
          [native?.index, native === null ? undefined : [...native]],
        )
      },
    ),
    { numRuns: 3000 },
  )
})
