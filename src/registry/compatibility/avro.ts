/**
 * Whether a reader's Avro schema reads all that a writer's has written.
 *
 * The rules are those of "Schema Resolution", with what Java's checker (and so Confluent's registry) makes of them: named types
 * match by their names without namespace or by the reader's aliases, STRING and BYTES read one another, logical types are not
 * compared, and a reader's union needs one branch that reads each branch of the writer's.
 *
 * @see Avro 1.12.0 specification, "Schema Resolution" and "Aliases"
 */
import { shortName } from '../../formats/avro/schema.ts'
import type { AvroEnum, AvroFixed, AvroRecord, AvroSchema } from '../../formats/avro/types.ts'
import type { Difference } from './difference.ts'

/** Empty: all can be read. */
export function avroDifferences(reader: AvroSchema, writer: AvroSchema): readonly Difference[] {
  return differencesOf(reader, writer, '', new Map())
}

/** What each pair has given; a pair that is still being compared further up gives nothing by itself. */
type Known = Map<AvroSchema, Map<AvroSchema, readonly Difference[]>>

const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
}

function differencesOf(
  reader: AvroSchema,
  writer: AvroSchema,
  path: string,
  known: Known,
): readonly Difference[] {
  const ofReader = known.get(reader) ?? new Map<AvroSchema, readonly Difference[]>()
  known.set(reader, ofReader)
  const before = ofReader.get(writer)
  if (before !== undefined) return before
  ofReader.set(writer, [])
  const found = compared(reader, writer, path, known)
  ofReader.set(writer, found)
  return found
}

function compared(
  reader: AvroSchema,
  writer: AvroSchema,
  path: string,
  known: Known,
): readonly Difference[] {
  if (writer.kind === 'union') return readsBranches(reader, writer.branches, path, known)
  if (reader.kind === 'union') return hasBranch(reader.branches, writer, path, known)
  if (reader.kind === 'array' && writer.kind === 'array')
    return differencesOf(reader.items, writer.items, `${path}/items`, known)
  if (reader.kind === 'map' && writer.kind === 'map')
    return differencesOf(reader.values, writer.values, `${path}/values`, known)
  if (reader.kind === 'fixed' && writer.kind === 'fixed')
    return fixedDifferences(reader, writer, path)
  if (reader.kind === 'enum' && writer.kind === 'enum') return enumDifferences(reader, writer, path)
  if (reader.kind === 'record' && writer.kind === 'record')
    return recordDifferences(reader, writer, path, known)
  if (reader.kind === writer.kind) return []
  if (PROMOTIONS[reader.kind]?.includes(writer.kind) === true) return []
  const message = `${textOf(reader)} does not read ${textOf(writer)}`
  return [{ rule: 'TYPE_MISMATCH', path: at(path), message }]
}

/** Each branch that may have been written must be readable. */
function readsBranches(
  reader: AvroSchema,
  branches: readonly AvroSchema[],
  path: string,
  known: Known,
): readonly Difference[] {
  return branches.flatMap((branch) => differencesOf(reader, branch, path, known))
}

function hasBranch(
  branches: readonly AvroSchema[],
  writer: AvroSchema,
  path: string,
  known: Known,
): readonly Difference[] {
  const tried = branches.map((branch, index) =>
    differencesOf(branch, writer, `${path}/${index}`, known),
  )
  if (tried.some((found) => found.length === 0)) return []
  const near = branches.findIndex((branch) => 'name' in branch && isNamed(branch, writer))
  const why = near < 0 ? '' : `: ${tried[near]!.map(({ message }) => message).join('; ')}`
  const message = `no branch of the union reads ${textOf(writer)}${why}`
  return [{ rule: 'MISSING_UNION_BRANCH', path: at(path), message }]
}

function fixedDifferences(
  reader: AvroFixed,
  writer: AvroFixed,
  path: string,
): readonly Difference[] {
  const found = nameDifferences(reader, writer, path)
  if (reader.size === writer.size) return found
  const message = `fixed ${reader.name} has ${reader.size} bytes, ${writer.size} were written`
  return [...found, { rule: 'FIXED_SIZE_MISMATCH', path: `${path}/size`, message }]
}

function enumDifferences(reader: AvroEnum, writer: AvroEnum, path: string): readonly Difference[] {
  const found = nameDifferences(reader, writer, path)
  const symbols = new Set(reader.symbols)
  const missing = writer.symbols.filter((symbol) => !symbols.has(symbol))
  if (missing.length === 0 || reader.fallback !== undefined) return found
  const message = `enum ${reader.name} lacks ${missing.join(', ')}, and has no default`
  return [...found, { rule: 'MISSING_ENUM_SYMBOLS', path: `${path}/symbols`, message }]
}

function recordDifferences(
  reader: AvroRecord,
  writer: AvroRecord,
  path: string,
  known: Known,
): readonly Difference[] {
  const found: Difference[] = [...nameDifferences(reader, writer, path)]
  const byName = new Map(writer.fields.map((field) => [field.name, field]))
  reader.fields.forEach((field, index) => {
    const place = `${path}/fields/${index}`
    const names = new Set([field.name, ...field.aliases])
    const written = [...names].flatMap((name) => byName.get(name) ?? [])
    const [match] = written
    if (written.length > 1) {
      const message = `field ${field.name} is, by its aliases, ${written.map(({ name }) => name).join(' and ')}`
      found.push({ rule: 'FIELD_AMBIGUOUS', path: place, message })
    } else if (match !== undefined)
      found.push(...differencesOf(field.type, match.type, `${place}/type`, known))
    else if (field.fallback === undefined) {
      const message = `field ${field.name} was not written, and has no default`
      found.push({ rule: 'READER_FIELD_MISSING_DEFAULT_VALUE', path: place, message })
    }
  })
  return found
}

type Named = AvroFixed | AvroEnum | AvroRecord

function nameDifferences(reader: Named, writer: Named, path: string): readonly Difference[] {
  if (isNamed(reader, writer)) return []
  const message = `${reader.kind} ${reader.name} is neither called ${writer.name} nor has it for an alias`
  return [{ rule: 'NAME_MISMATCH', path: `${path}/name`, message }]
}

function isNamed(reader: Named, writer: AvroSchema): boolean {
  if (!('name' in writer) || writer.kind !== reader.kind) return false
  return shortName(reader.name) === shortName(writer.name) || reader.aliases.includes(writer.name)
}

function textOf(schema: AvroSchema): string {
  return 'name' in schema ? `${schema.kind} ${schema.name}` : schema.kind
}

function at(path: string): string {
  return path === '' ? '/' : path
}
