/** Histories of several versions: the last one alone counts, unless the level is TRANSITIVE. */
import type { CompatibilityCase } from '../schema-compatibility.ts'

const avro = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const a = { name: 'a', type: 'string' }
const b = { name: 'b', type: 'int' }
const bDefault = { ...b, default: 0 }
const json = (type: string) =>
  JSON.stringify({ type: 'object', additionalProperties: false, properties: { a: { type } } })
const proto = (fields: string) => `syntax = "proto3"; message M { ${fields} }`

function history(
  format: CompatibilityCase['format'],
  name: string,
  old: readonly string[],
  next: string,
  verdicts: Readonly<Record<string, boolean>>,
): CompatibilityCase[] {
  return Object.entries(verdicts).map(([level, compatible]) => ({
    id: `${format.toLowerCase()}: ${name}, ${level}`,
    format,
    level,
    old,
    new: next,
    compatible,
    reason: 'TRANSITIVE levels look at all versions, the others at the last',
  }))
}

export const HISTORIES: readonly CompatibilityCase[] = [
  ...history('AVRO', 'a default comes and goes', [avro(a), avro(a, bDefault)], avro(a, b), {
    BACKWARD: true,
    BACKWARD_TRANSITIVE: false,
    FORWARD: true,
    FORWARD_TRANSITIVE: true,
    FULL: true,
    FULL_TRANSITIVE: false,
  }),
  ...history('AVRO', 'a field goes in two steps', [avro(a, b), avro(a, bDefault)], avro(a), {
    BACKWARD: true,
    BACKWARD_TRANSITIVE: true,
    FORWARD: true,
    FORWARD_TRANSITIVE: false,
    FULL: true,
    FULL_TRANSITIVE: false,
  }),
  ...history(
    'AVRO',
    'defaults throughout',
    [avro(a), avro(a, bDefault)],
    avro(a, bDefault, { name: 'c', type: 'int', default: 0 }),
    {
      BACKWARD_TRANSITIVE: true,
      FORWARD_TRANSITIVE: true,
      FULL_TRANSITIVE: true,
    },
  ),
  ...history('AVRO', 'no earlier version', [], avro(a), { BACKWARD: true, FULL_TRANSITIVE: true }),
  ...history('JSON', 'a type there and back', [json('string'), json('integer')], json('number'), {
    BACKWARD: true,
    BACKWARD_TRANSITIVE: false,
    FORWARD: false,
    FULL_TRANSITIVE: false,
  }),
  ...history(
    'PROTOBUF',
    'a number used again for another kind',
    [proto('string a = 1; int32 b = 2;'), proto('string a = 1;')],
    proto('string a = 1; string c = 2;'),
    {
      BACKWARD: true,
      BACKWARD_TRANSITIVE: false,
      FORWARD_TRANSITIVE: false,
      FULL: true,
      FULL_TRANSITIVE: false,
    },
  ),
  {
    id: 'the format changes',
    format: 'AVRO',
    level: 'BACKWARD',
    old: '"string"',
    new: '{"type":"nothing"}',
    compatible: false,
    reason: 'the new schema is invalid',
  },
]
