/** Bad needs: each refused or doubted at its line and column, with what to write instead. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { readOwnPrices } from '../../src/advise/cost/own-prices.ts'
import {
  BYTE_COUNT,
  bytesIn,
  DURATION,
  perSecondIn,
  RATE,
  secondsIn,
} from '../../src/advise/needs/quantities.ts'
import { type MeasuredField, readNeeds } from '../../src/advise/needs/read.ts'
import { nearest } from '../../src/sql/suggest.ts'
import { fc } from '../builders/properties.ts'
import { BOOK, read } from './asked.ts'

const GOOD = `context:
  clouds: [aws]
outputs:
  - name: revenue
    what: dashboard
    actor: shop managers
    ifOneHourOld: nothing
    consequence: nothing
    freshness: 1 h
    rate: 50/s
    peak: 200/s
    bytes: 600 B
`

interface Bad {
  readonly name: string
  readonly replace: readonly [string, string]
  readonly at: string
  readonly message: RegExp
  readonly hint: RegExp
}

const REFUSED: readonly Bad[] = [
  {
    name: 'an unknown field',
    replace: ['rate: 50/s', 'rate: 50/s\n    rats: 3'],
    at: '11:5',
    message: /no field `rats`/,
    hint: /did you mean `rate`/,
  },
  {
    name: 'an unknown field of the context',
    replace: ['clouds: [aws]', 'clouds: [aws]\n  cluods: [aws]'],
    at: '3:3',
    message: /no field `cluods`/,
    hint: /did you mean `clouds`/,
  },
  {
    name: 'a rate without its unit',
    replace: ['50/s', '50'],
    at: '10:11',
    message: /`rate` has no unit: 50/,
    hint: /`50\/s`/,
  },
  {
    name: 'a freshness without its unit',
    replace: ['1 h', '60'],
    at: '9:16',
    message: /`freshness` has no unit/,
    hint: /`60 s`/,
  },
  {
    name: 'a size without its unit',
    replace: ['600 B', '"600"'],
    at: '12:12',
    message: /`bytes` has no unit/,
    hint: /`600 B`/,
  },
  {
    name: 'a unit that there is not',
    replace: ['1 h', '1 hour'],
    at: '9:16',
    message: /`freshness` can't be "1 hour"/,
    hint: /`1 h`/,
  },
  {
    name: 'no rate at all',
    replace: ['    rate: 50/s\n', ''],
    at: '4:5',
    message: /`rate` is missing/,
    hint: /`50\/s`/,
  },
  {
    name: 'a rate of zero',
    replace: ['rate: 50/s', 'rate: 0/s'],
    at: '10:11',
    message: /no events at all/,
    hint: /`50\/s`/,
  },
  {
    name: 'an absurd rate',
    replace: ['rate: 50/s\n    peak: 200/s', 'rate: 50 G/s'],
    at: '10:11',
    message: /more than any single system has/,
    hint: /check the unit/,
  },
  {
    name: 'an absurd event',
    replace: ['600 B', '2 GB'],
    at: '12:12',
    message: /is a file/,
    hint: /tells of the file/,
  },
  {
    name: 'a peak below the mean',
    replace: ['200/s', '20/s'],
    at: '11:11',
    message: /below the mean/,
    hint: /busiest minute/,
  },
  {
    name: 'an unknown consequence',
    replace: ['consequence: nothing', 'consequence: nothin'],
    at: '8:18',
    message: /can't be "nothin"/,
    hint: /did you mean `nothing`/,
  },
  {
    name: 'an unknown cloud',
    replace: ['[aws]', '[amazon]'],
    at: '2:12',
    message: /can't be "amazon"/,
    hint: /aws, azure, gcp, own/,
  },
  {
    name: 'a platform that shuts down',
    replace: ['clouds: [aws]', 'clouds: [aws]\n  platforms: [pubsub-lite]'],
    at: '3:15',
    message: /can't be "pubsub-lite"/,
    hint: /31 January 2027/,
  },
  {
    name: 'a stream wider than any',
    replace: ['rate: 50/s\n    peak: 200/s\n    bytes: 600 B', 'rate: 1 G/s\n    bytes: 1 MB'],
    at: '11:12',
    message: /TB\/s at the peak/,
    hint: /both units/,
  },
  {
    name: 'no outputs',
    replace: [GOOD.slice(GOOD.indexOf('  - name')), '  []\n'],
    at: '4:3',
    message: /can't be \[\]/,
    hint: /./,
  },
  {
    name: 'text that is no YAML',
    replace: ['clouds: [aws]', 'clouds: [aws'],
    at: '3:1',
    message: /no YAML here/,
    hint: /examples\/needs/,
  },
  {
    name: 'a freshness that batch alone does not give, with new systems refused',
    replace: [
      'consequence: nothing\n    freshness: 1 h',
      'consequence: wrong-decision\n    freshness: 1 s',
    ],
    at: '9:16',
    message: /no engine runs that does better/,
    hint: /newSystems: allowed/,
  },
  {
    name: 'own machines only, in a cloud',
    replace: ['clouds: [aws]', 'clouds: [aws]\n  compliance: [own-machines-only]'],
    at: '2:11',
    message: /nothing may leave your own machines/,
    hint: /clouds: \[own\]/,
  },
  {
    name: 'a platform of another cloud',
    replace: ['clouds: [aws]', 'clouds: [aws]\n  platforms: [pubsub]'],
    at: '3:14',
    message: /`pubsub` runs on gcp/,
    hint: /add gcp/,
  },
]

for (const { name, replace, at, message, hint } of REFUSED) {
  test(`${name} is refused at ${at}, with what to write instead`, () => {
    const isBatchOnly = name.includes('batch alone')
    const good = isBatchOnly
      ? GOOD.replace('clouds: [aws]', 'newSystems: refused\n  clouds: [aws]')
      : GOOD
    const text = good.replace(...replace)
    assert.notEqual(text, good)
    const { needs, findings } = read(text)
    assert.equal(needs, undefined)
    const found = findings.find(({ severity }) => severity === 'error')
    assert.ok(found)
    assert.match(found.message, message)
    assert.match(found.hint, hint)
    const line = isBatchOnly ? found.line - 1 : found.line
    assert.equal(`${line}:${found.column}`, at, found.text)
    assert.equal(found.severity, 'error')
    assert.match(
      found.text,
      new RegExp(`^NEEDS_INVALID: [\\s\\S]*--> needs.yaml:${found.line}:${found.column}`),
    )
  })
}

test('all mistakes of a file are told at once', () => {
  const text = GOOD.replace('50/s', '50').replace('1 h', '60').replace('600 B', '600')
  assert.equal(read(text).findings.length, 3)
})

test('a wish without a need, and a loss without a consequence, are doubted and not refused', () => {
  const wish = read(GOOD.replace('1 h', '1 s'))
  assert.ok(wish.needs)
  assert.equal(wish.findings.length, 1)
  assert.equal(wish.findings[0]!.severity, 'doubt')
  assert.match(wish.findings[0]!.message, /asks for 1 s, but nothing breaks/)
  const loss = read(`${GOOD}    lossIfOneHourOld: 500 USD/month\n`)
  assert.match(loss.findings[0]!.message, /loses money/)
  const second = GOOD.slice(GOOD.indexOf('  - name'))
    .replace('revenue', 'other')
    .replace('600 B', '900 B')
  const stream = read(`${GOOD}    from: orders\n${second}    from: orders\n`)
  assert.match(stream.findings[0]!.message, /made of one stream/)
  const alert = read(GOOD.replace('what: dashboard', 'what: alert'))
  assert.match(alert.findings[0]!.hint, /late-alert/)
})

test('what is not said is taken, and told', () => {
  const { needs } = read(GOOD.replace('    peak: 200/s\n', ''))
  assert.ok(needs)
  assert.equal(needs.outputs[0]!.peak, 50 * BOOK.limit('peak-factor'))
  for (const what of [
    /operating hour/,
    /peak of revenue/,
    /state of revenue/,
    /how late/,
    /back within an hour/,
  ])
    assert.ok(
      needs.assumptions.some((each) => what.test(each)),
      String(what),
    )
})

test('figures can be measured from a topic, and the sample is told', () => {
  const text = GOOD.replace('50/s', 'measured from orders')
    .replace('    peak: 200/s\n', '')
    .concat('    lateness: measured from orders by placed_at\n')
    .concat('    history: measured from orders\n    state: measured from orders by shop\n')
  const asked: unknown[] = []
  const measure = (topic: string, field?: MeasuredField) => {
    asked.push([topic, field])
    const lateOrKept = field?.is === 'time' ? { latenessSeconds: 12 } : { stateBytes: 900 }
    return { rate: 7, peak: 9, bytes: 300, historyDays: 21, sample: 'a sample', ...lateOrKept }
  }
  const { needs } = readNeeds('needs.yaml', text, { book: BOOK, nearest, measure })
  const [revenue] = needs?.outputs ?? []
  assert.equal(revenue?.rate, 7)
  assert.equal(revenue?.latenessSeconds, 12)
  assert.equal(revenue?.historyDays, 21)
  assert.equal(revenue?.stateBytes, 900)
  assert.deepEqual(
    new Set(asked.map((each) => JSON.stringify(each))),
    new Set([
      '["orders",null]',
      '["orders",{"name":"placed_at","is":"time"}]',
      '["orders",{"name":"shop","is":"key"}]',
    ]),
  )
  assert.ok(needs?.assumptions.some((each) => each.includes('a sample')))
})

test('a hostile file is refused, not obeyed: aliases without end, and fields of the prototype', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
    .split('')
    .map(
      (name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`).join(', ')}]`,
    )
    .join('\n')}\n`
  assert.equal(read(bomb).needs, undefined)
  assert.match(
    read(`${GOOD}__proto__: { clouds: [own] }\n`).findings[0]!.message,
    /no field `__proto__`/,
  )
})

test('every example of needs is accepted without a finding', () => {
  const files = globSync('examples/needs/*.yaml')
  assert.ok(files.length >= 5)
  for (const file of files) assert.deepEqual(read(readFileSync(file, 'utf8')).findings, [], file)
})

test('the needs, the prices and the refusal that docs/advise.md shows are what the reader takes and says', () => {
  const page = readFileSync('docs/advise.md', 'utf8')
  const needs = /```yaml\n([\s\S]*?)```/.exec(page)![1]!
  assert.deepEqual(read(needs).findings, [])
  const prices = /```json\n([\s\S]*?)```/.exec(page)![1]!
  assert.deepEqual(readOwnPrices('my.json', prices, BOOK, nearest).findings, [])
  const refusal = /```text\n(NEEDS_INVALID[\s\S]*?)\n```/.exec(page)![1]!
  const bare = `${'#\n'.repeat(5)}context: { clouds: [aws] }\noutputs:\n  -\n    rate: 50\n`
  const said = read(bare).findings.map(({ text }) => text)
  assert.ok(said.includes(refusal), said.join('\n'))
})

test('figures mean what they say, whatever their unit', () => {
  const number = fc.integer({ min: 0, max: 1_000_000 })
  fc.assert(
    fc.property(number, (value) => {
      for (const [unit, seconds] of [
        ['s', 1],
        ['min', 60],
        ['h', 3600],
        ['d', 86_400],
      ] as const) {
        assert.match(`${value} ${unit}`, DURATION)
        assert.equal(secondsIn(`${value} ${unit}`), value * seconds)
        assert.match(`${value} k/${unit}`, RATE)
        assert.equal(perSecondIn(`${value} k/${unit}`), (value * 1000) / seconds)
      }
      assert.match(`${value}KB`, BYTE_COUNT)
      assert.equal(bytesIn(`${value}KB`), value * 1000)
    }),
  )
})
