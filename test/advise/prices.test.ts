/** Prices and limits: each shipped one has a source and a date; one's own replace them, and are refused without. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { openBook } from '../../src/advise/cost/book.ts'
import { totalOf } from '../../src/advise/cost/lines.ts'
import { readOwnPrices } from '../../src/advise/cost/own-prices.ts'
import { planFor } from '../../src/advise/plan/plan.ts'
import { nearest } from '../../src/sql/suggest.ts'
import { BOOK, CASES, needsOf } from './asked.ts'

const own = (text: string) => readOwnPrices('my.json', text, BOOK, nearest)

test('every price and limit that is shipped has a source, a date and a confidence, and each id once', () => {
  for (const { source, asOf, confidence } of [...BOOK.prices, ...BOOK.limits]) {
    assert.ok(source.length > 0)
    assert.ok(!Number.isNaN(Date.parse(asOf)))
    assert.match(confidence, /^[ABC]$/)
  }
  const skus = BOOK.prices.map(({ sku }) => sku)
  const ids = BOOK.limits.map(({ id }) => id)
  assert.equal(new Set(skus).size, skus.length)
  assert.equal(new Set(ids).size, ids.length)
})

test('every price and limit that is shipped is used by the code or the candidates, and no other stands in it', () => {
  const code = globSync('src/advise/**/*.ts')
    .concat('src/advise/data/candidates.json')
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  const sized = /^(msk|confluent)-/
  for (const name of [...BOOK.prices.map(({ sku }) => sku), ...BOOK.limits.map(({ id }) => id)])
    if (!sized.test(name)) assert.ok(code.includes(`'${name}'`) || code.includes(`"${name}"`), name)
})

test('a total is the sum of its lines, and every line but the hours has a price in the book', () => {
  for (const { needs } of CASES) {
    const { chosen } = planFor(needsOf(needs), BOOK)
    if (chosen === undefined) continue
    assert.ok(Math.abs(totalOf(chosen.lines) - chosen.total) < 1e-6)
    for (const line of chosen.lines) {
      assert.ok(line.source !== undefined && line.asOf !== undefined && line.how !== '', line.item)
      if (line.kind !== 'operations') assert.equal(BOOK.price(line.sku!).price, line.price)
    }
  }
})

test('prices, limits and hours of one’s own replace those shipped', () => {
  const { own: replacements, findings } = own(
    JSON.stringify({
      prices: [{ sku: 'flink-aws-kpu', price: 0, asOf: '2026-11-24', source: 'our contract' }],
      limits: [{ id: 'jvm-core-in', value: 20, asOf: '2026-11-24', source: 'measured' }],
      hours: [
        {
          candidate: 'flink-aws',
          run: 1,
          adopt: 2,
          withoutSkill: 3,
          asOf: '2026-11-24',
          source: 'us',
        },
      ],
    }),
  )
  assert.deepEqual(findings, [])
  const book = openBook(replacements)
  assert.equal(book.price('flink-aws-kpu').price, 0)
  assert.equal(book.price('flink-aws-kpu').source, 'our contract')
  assert.equal(book.limit('jvm-core-in'), 20)
  const needs = needsOf(CASES.find(({ id }) => id === 'fraud')!.needs)
  const before = planFor(needs, BOOK).chosen!
  const after = planFor(needs, book).chosen!
  assert.equal(after.hours, before.hours - 13)
  assert.ok(after.money < before.money)
})

test('a price without its date, an unknown one, and a field too many are refused at their line', () => {
  const dateless = own(
    '{\n  "prices": [\n    { "sku": "kinesis-shard", "price": 1, "source": "us" }\n  ]\n}',
  )
  assert.match(dateless.findings[0]!.message, /`asOf` is missing/)
  assert.equal(dateless.findings[0]!.line, 3)
  const unknown = own(
    'prices:\n  - { sku: kinesis-shart, price: 1, asOf: 2026-11-24, source: us }\n',
  )
  assert.match(unknown.findings[0]!.hint, /kinesis-shard/)
  assert.equal(`${unknown.findings[0]!.line}:${unknown.findings[0]!.column}`, '2:12')
  const extra = own(
    'prices:\n  - { sku: kinesis-shard, price: 1, asOf: 2026-11-24, source: us, currency: EUR }\n',
  )
  assert.match(extra.findings[0]!.message, /no field `currency`/)
  const negative = own(
    'prices:\n  - { sku: kinesis-shard, price: -1, asOf: 2026-11-24, source: us }\n',
  )
  assert.match(negative.findings[0]!.message, /`price`/)
  assert.match(negative.findings[0]!.hint, /^write USD for one unit, a number/)
  for (const day of ['soon', '2026-13-01', '2026-02-30']) {
    const undated = own(`prices:\n  - { sku: kinesis-shard, price: 1, asOf: ${day}, source: us }\n`)
    assert.equal(undated.findings.length, 1)
    assert.match(undated.findings[0]!.hint, /^write the day on which it was read: `2026-11-24`/)
  }
})
