/**
 * The cases that this project wrote, as `npm run conformance -- schema-compatibility` reads them: each pair at each level that looks at
 * one earlier version, and histories for the levels that look at all. `node test/conformance/compatibility/write.ts` writes them to the file.
 */
import type { SchemaType } from '../../../src/formats/schema-source.ts'
import type { CompatibilityCase } from '../schema-compatibility.ts'
import { AVRO } from './avro.ts'
import { AVRO_EDGES, JSON_EDGES, PROTOBUF_EDGES } from './edges.ts'
import { HISTORIES } from './histories.ts'
import { JSON_SCHEMA } from './json-schema.ts'
import type { Pair, Reads } from './pair.ts'
import { PROTOBUF } from './protobuf.ts'

const ONE_VERSION = ['BACKWARD', 'FORWARD', 'FULL', 'NONE'] as const
const ALLOWED: Readonly<Record<(typeof ONE_VERSION)[number], readonly Reads[]>> = {
  BACKWARD: ['both', 'backward'],
  FORWARD: ['both', 'forward'],
  FULL: ['both'],
  NONE: ['both', 'backward', 'forward', 'none'],
}

export function ownCases(): CompatibilityCase[] {
  return [
    ...ofFormat('AVRO', [...AVRO, ...AVRO_EDGES]),
    ...ofFormat('JSON', [...JSON_SCHEMA, ...JSON_EDGES]),
    ...ofFormat('PROTOBUF', [...PROTOBUF, ...PROTOBUF_EDGES]),
    ...HISTORIES,
  ]
}

function ofFormat(format: SchemaType, pairs: readonly Pair[]): CompatibilityCase[] {
  return pairs.flatMap(({ name, old, new: next, reads, reason, references }) => {
    const isInvalid = reason.includes('is invalid')
    // Nothing is held against anything at NONE: a few pairs show it.
    const levels = ONE_VERSION.filter(
      (level) => level !== 'NONE' || (reads === 'none' && !isInvalid && name.startsWith('a ')),
    )
    return levels.map((level) => ({
      id: `${format.toLowerCase()}: ${name}, ${level}`,
      format,
      level,
      old: textOf(old),
      new: textOf(next),
      ...(references === undefined ? {} : { references }),
      compatible: ALLOWED[level].includes(reads),
      reason,
    }))
  })
}

function textOf(schema: unknown): string {
  return typeof schema === 'string' && schema.startsWith('syntax') ? schema : JSON.stringify(schema)
}
