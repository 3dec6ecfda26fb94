import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { LinearMemory } from '../../data/memory.ts'
import { types } from '../../data/types.ts'
import { csvField, csvFields } from './fields.ts'
import { csv } from './format.ts'

const RFC = { delimiter: ',', quote: '"', escaping: '' }
const texts = (record: string, shape = RFC) => {
  const fields = csvFields(record, shape)
  return typeof fields === 'string' ? fields : fields.map(({ text }) => text)
}

test('fields that are written are read back, whatever they hold', () => {
  const shape = fc.constantFrom(
    RFC,
    { delimiter: '\t', quote: "'", escaping: '' },
    { delimiter: ';', quote: '"', escaping: '\\' },
  )
  const text = fc.string({
    unit: fc.constantFrom('a', ',', ';', '\t', '"', "'", '\\', ' ', '\n', 'é'),
  })
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), shape, (fields, given) => {
      const record = fields.map((each) => csvField(each, given)).join(given.delimiter)
      assert.deepEqual(texts(record, given), fields)
    }),
  )
})

test('quotes and escapes are read as RFC 4180 has them', () => {
  assert.deepEqual(texts('a,"b ""c"", d",'), ['a', 'b "c", d', ''])
  assert.deepEqual(texts('a\\,b,c', { ...RFC, escaping: '\\' }), ['a,b', 'c'])
  assert.equal(texts('"a'), 'a quoted field does not end')
  assert.equal(texts('"a"b'), 'something stands behind a quoted field')
})

test('without quotes a field that would need them is an error, not another field', () => {
  assert.throws(() => csvField('a,b', { ...RFC, quote: '' }), RangeError)
})

test('a type that CSV has not is refused when the table is opened', async () => {
  const memory = new LinearMemory({ bytesMax: 16 << 20 })
  const row = { kind: 'row', fields: [{ name: 'x', type: types.int }], nullable: true } as const
  const schema = [{ name: 'r', type: row }]
  const request = {
    memory,
    table: 't',
    schema,
    physical: schema,
    options: {},
    subject: '',
    schemas: undefined,
  }
  await assert.rejects(csv.openDecoder(request), { code: 'FORMAT_TYPE_UNSUPPORTED' })
  await assert.rejects(csv.openEncoder(request), { code: 'FORMAT_TYPE_UNSUPPORTED' })
  const wide = { ...request, schema: [], physical: [], options: { 'csv.field-delimiter': '::' } }
  await assert.rejects(csv.openDecoder(wide), { code: 'OPTION_INVALID' })
})
