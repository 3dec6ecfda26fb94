/** Our rules for Avro beside avsc's resolver, where it defines the answer: everything but names with namespaces and unions that were written. */
import assert from 'node:assert/strict'
import test from 'node:test'
import avsc from 'avsc'
import { parseAvro } from '../../src/formats/avro/schema.ts'
import { avroDifferences } from '../../src/registry/compatibility/avro.ts'
import { fc } from '../builders/properties.ts'

type Json = string | { readonly [key: string]: unknown } | readonly Json[]

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const DEFAULTS: Readonly<Record<string, unknown>> = {
  null: null,
  boolean: true,
  int: 1,
  long: 2,
  float: 0.5,
  double: 0.25,
  bytes: '',
  string: 'x',
}
const primitive = fc.constantFrom(...PRIMITIVES)

/** Few names, so that two schemas often are about the same; each name once in a schema. */
const schema = fc.letrec<{ type: Json; leaf: Json; record: Json }>((tie) => ({
  leaf: fc.oneof(
    primitive,
    fc.record({
      type: fc.constant('fixed'),
      name: fc.constantFrom('F'),
      size: fc.integer({ min: 1, max: 2 }),
    }),
    fc
      .tuple(fc.subarray(['A', 'B', 'C'], { minLength: 1 }), fc.boolean())
      .map(([symbols, hasDefault]) => ({
        type: 'enum',
        name: 'E',
        symbols,
        ...(hasDefault ? { default: symbols[0] } : {}),
      })),
  ),
  type: fc.oneof(
    { maxDepth: 2 },
    tie('leaf'),
    tie('type').map((items) => ({ type: 'array', items })),
    tie('type').map((values) => ({ type: 'map', values })),
    tie('record'),
  ),
  record: fc
    .uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('type'), fc.boolean(), fc.boolean()),
      { selector: ([name]) => name, minLength: 1, maxLength: 3 },
    )
    .map((fields) => ({
      type: 'record',
      name: 'R',
      fields: fields.map(([name, type, hasDefault, hasAlias]) => ({
        name,
        type,
        ...(hasDefault && typeof type === 'string' ? { default: DEFAULTS[type] } : {}),
        ...(hasAlias ? { aliases: ['z'] } : {}),
      })),
    })),
}))

test('a reader that avsc resolves is compatible, and one that it does not is not', () => {
  const compared = { resolved: 0, refused: 0 }
  fc.assert(
    fc.property(schema.record, schema.record, fc.boolean(), (writer, reader, asUnion) => {
      const given: Json = asUnion ? ['null', reader] : reader
      const told = resolves(given, writer)
      if (told === undefined) return
      compared[told ? 'resolved' : 'refused']++
      const read = (json: Json) => parseAvro({ text: JSON.stringify(json), references: [] })
      const found = avroDifferences(read(given), read(writer))
      assert.equal(found.length === 0, told, JSON.stringify({ given, writer, found }))
    }),
    { numRuns: 3000 },
  )
  assert.ok(Math.min(compared.resolved, compared.refused) > 10, JSON.stringify(compared))
})

/** Undefined for a schema that avsc does not take: a name twice. */
function resolves(reader: Json, writer: Json): boolean | undefined {
  let types: [avsc.Type, avsc.Type]
  try {
    types = [
      avsc.Type.forSchema(reader as avsc.Schema, { wrapUnions: true }),
      avsc.Type.forSchema(writer as avsc.Schema, { wrapUnions: true }),
    ]
  } catch {
    return undefined
  }
  try {
    types[0].createResolver(types[1])
    return true
  } catch {
    return false
  }
}
