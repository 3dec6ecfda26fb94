import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { open } from '../index.ts'
import { requiredText } from './functions/required-text.ts'

const unit = fc.constantFrom('/', 'a', 'B', 'é', 'İ', '😀', 'c')
const text = fc.oneof(
  fc.string({ unit, maxLength: 8 }),
  fc.string({ unit, minLength: 20, maxLength: 40 }),
)
const texts = fc.array(fc.option(text), { minLength: 1, maxLength: 12 })

type Told = (text: string) => unknown
const ASKED: Readonly<Record<string, Told>> = {
  'CHAR_LENGTH(s)': (s) => [...s].length,
  "SPLIT_INDEX(s, '/', 0)": (s) => (s === '' ? null : s.split('/')[0]),
  "SPLIT_INDEX(s, '/', 2)": (s) => (s === '' ? null : (s.split('/')[2] ?? null)),
  'LOWER(s)': (s) => s.toLowerCase(),
  'UPPER(s)': (s) => s.toUpperCase(),
  "REPLACE(s, 'c', '')": (s) => s.replaceAll('c', ''),
  "REPLACE(s, 'ac', 'é')": (s) => s.replaceAll('ac', 'é'),
  "REPLACE(s, 'c', 'longer')": (s) => s.replaceAll('c', 'longer'),
  "s LIKE '%ac%'": (s) => s.includes('ac'),
  "s LIKE 'a%'": (s) => s.startsWith('a'),
  "s LIKE '%é'": (s) => s.endsWith('é'),
  "s LIKE 'ac'": (s) => s === 'ac',
  "s LIKE '%'": () => true,
  "STARTSWITH(s, '/a')": (s) => s.startsWith('/a'),
  "ENDSWITH(s, 'ca')": (s) => s.endsWith('ca'),
  "REGEXP_EXTRACT(s, '(a|B)cc*(.)', 2)": (s) => /(a|B)cc*(.)/u.exec(s)?.[2] ?? null,
}

const NAMES = Object.keys(ASKED)
const SQL = `SELECT ${NAMES.map((asked, index) => `${asked} AS c${index}`).join(', ')} FROM t`

test('what is computed on the bytes of texts is what their characters give', async () => {
  await fc.assert(
    fc.asyncProperty(texts, async (values) => {
      await using db = await open({ tables: tableOf(values) })
      const told = (await db.query(SQL).rows()).map((row) => NAMES.map((_, i) => row[`c${i}`]))
      const wanted = values.map((s) => NAMES.map((name) => (s === null ? null : ASKED[name]!(s))))
      assert.deepEqual(told, wanted)
    }),
    { numRuns: 60 },
  )
})

test('rows are filtered by the bytes of texts as by their characters', async () => {
  const values = ['ac', 'xac', '', null, 'é', 'acé']
  await using db = await open({ tables: tableOf(values) })
  for (const condition of NAMES.filter((name) => /LIKE|WITH/.test(name))) {
    const rows = await db.query(`SELECT s FROM t WHERE ${condition}`).rows()
    const wanted = values.filter((s) => s !== null && ASKED[condition]!(s) === true)
    assert.deepEqual(
      rows.map(({ s }) => s),
      wanted,
      condition,
    )
  }
})

test('a text that every match has is found in patterns, and none where there may be none', () => {
  const known: Readonly<Record<string, string | undefined>> = {
    '(&|^)channel_id=([^&]*)': 'channel_id=',
    'ab+c?d\\.e': 'd.e',
    'a|b': undefined,
    '(?i)abc': undefined,
    'x{0}yz': 'yz',
    '[ab(]cd': 'cd',
    '[a[b]]c': undefined,
    '\\Qa\\E': undefined,
    '\\u0041bc': undefined,
    '(a(b)c)*': undefined,
    'a(b\\)c)d': 'a',
    '\\d\\d:\\d': ':',
  }
  for (const [pattern, wanted] of Object.entries(known))
    assert.equal(requiredText(pattern), wanted, pattern)
})

test('every match has the text that its pattern requires', () => {
  const piece = fc.constantFrom('a', 'b', 'a?', 'b+', '(ab)', '(a|b)*', '[ab]', '.', 'ab{2}', '\\.')
  const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
  const subject = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 })
  fc.assert(
    fc.property(pattern, subject, (source, value) => {
      const required = requiredText(source)
      const match = new RegExp(source).exec(value)
      assert.ok(match === null || required === undefined || match[0].includes(required))
    }),
    { numRuns: 2000 },
  )
})

function tableOf(values: readonly (string | null)[]): string {
  const data = values.map((s) => JSON.stringify({ s })).join('\n')
  return `CREATE TABLE t (s STRING) WITH ('connector' = 'values', 'data' = '${data}')`
}
