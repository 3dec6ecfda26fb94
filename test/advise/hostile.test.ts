/** Whatever is written, needs are read or refused: nothing throws, and no advice holds a figure that is none. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { advise } from '../../src/advise/report/advice.ts'
import { htmlOf } from '../../src/advise/report/html.ts'
import { markdownOf } from '../../src/advise/report/markdown.ts'
import { fc } from '../builders/properties.ts'
import { BOOK, read } from './asked.ts'

const TEXTS = globSync('examples/needs/*.yaml').map((file) => readFileSync(file, 'utf8'))
/** What people and machines leave in files. */
const PIECES = [
  '0',
  '-1',
  '1e999',
  '.nan',
  '.inf',
  'null',
  '~',
  '[]',
  '{}',
  '""',
  '!!js x',
  '&a',
  '*a',
  ': ',
  '\n',
  '\t',
  '  ',
  '#',
  '0/s',
  '0 B',
  '1 ms',
  '999999 d',
  '1 G/s',
  'nothing',
  'own',
  '|',
  '>-',
  '"',
  "'",
  '\u0000',
  '\u2028',
  '---\n',
]

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat(12),
  piece: fc.constantFrom('', ...PIECES),
})

test('a file that is spoilt anywhere is read or refused at a place in it, and its advice holds', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TEXTS),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      (good, edits) => {
        const text = edits.reduce((whole, { at, drop, piece }) => {
          const start = Math.floor(at * whole.length)
          return whole.slice(0, start) + piece + whole.slice(start + drop)
        }, good)
        const { needs, findings } = read(text)
        const lines = text.split('\n').length
        for (const { line, column, hint, message } of findings) {
          assert.ok(line >= 1 && line <= lines && column >= 1, `${line}:${column}`)
          assert.ok(hint.length > 0 && message.length > 0)
        }
        if (needs === undefined) return assert.ok(findings.length > 0)
        const advice = advise({ needs, book: BOOK, doubts: findings, connectors: [] })
        allFinite(advice)
      },
    ),
    { numRuns: 300 },
  )
})

test('anything at all is refused, not met with an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...PIECES)), (text) => {
      assert.equal(read(text).needs, undefined)
      assert.ok(read(text).findings.length > 0)
    }),
    { numRuns: 500 },
  )
})

test('figures at both ends of what is accepted give figures: one event a year, a thousand million a second', () => {
  for (const [rate, bytes, freshness] of [
    ['0.0001/d', '1 B', '366 d'],
    ['1 G/s', '1 KB', '1 ms'],
    ['1/s', '100 MB', '1 s'],
    ['1 G/s', '1 B', '1 h'],
  ]) {
    for (const consequence of ['nothing', 'stale-report', 'wrong-decision']) {
      const output = {
        name: 'x',
        what: 'alert',
        actor: 'a',
        ifOneHourOld: 'b',
        consequence,
        freshness,
        rate,
        peak: rate,
        bytes,
        history: '36500 d',
        state: '1 TB',
      }
      const { needs } = read(
        JSON.stringify({ context: { clouds: ['aws', 'azure', 'gcp', 'own'] }, outputs: [output] }),
      )
      assert.ok(needs)
      const advice = advise({ needs, book: BOOK, doubts: [], connectors: [] })
      allFinite(advice)
      for (const text of [markdownOf(advice), htmlOf(advice)])
        assert.ok(!/NaN|Infinity|undefined/.test(text))
    }
  }
})

function allFinite(value: unknown): void {
  if (typeof value === 'number') assert.ok(Number.isFinite(value))
  if (typeof value === 'string') assert.ok(!/\bNaN\b|\bInfinity\b/.test(value), value)
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(allFinite)
}
