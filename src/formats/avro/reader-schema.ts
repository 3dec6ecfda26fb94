/**
 * A reader's schema beside the table: what its fields were called before (aliases), and what stands for fields that a writer lacks (defaults).
 * Only fields of the record itself: what is inside them is resolved by name.
 */
import type { CellValue } from '../../data/nested-cells.ts'
import type { Field } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { type ByteSink, createByteSink } from '../byte-sink.ts'
import { isFittingDefault } from './defaults.ts'
import type { ReaderField } from './plan.ts'
import { ValueRefused, valueReader } from './read-value.ts'
import { parseAvro } from './schema.ts'
import type { AvroField, AvroSchema } from './types.ts'

/** By column. @throws SCHEMA_INVALID, also if a default does not fit its column */
export function readerFields(
  text: string,
  columns: readonly Field[],
): ReadonlyMap<string, ReaderField> {
  const schema = parseAvro({ text, references: [] })
  const fields = new Map<string, ReaderField>()
  if (schema.kind !== 'record') return fields
  for (const field of schema.fields) {
    const column = columns.find(({ name }) => name === field.name)
    if (column === undefined) continue
    const names = [field.name, ...field.aliases]
    // A ROW's parts have cells of their own: it has no constant.
    const hasFallback = field.fallback !== undefined && column.type.kind !== 'row'
    fields.set(field.name, hasFallback ? { names, fallback: fallbackOf(field, column) } : { names })
  }
  return fields
}

/** The default as a writer would have written it, read as writers' values are: so that both mean the same. */
function fallbackOf({ type, fallback }: AvroField, column: Field): CellValue {
  const out = createByteSink()
  writeDefault(out, type, fallback)
  try {
    return valueReader(type, column.type)({ bytes: Uint8Array.from(out.bytes()), at: 0 })
  } catch (error) {
    if (!(error instanceof ValueRefused)) throw error
    throw new MillraceError('SCHEMA_INVALID', {
      message: `the default of field ${column.name} is no value of its column: ${error.message}`,
      hint: 'declare the column as the schema has the field',
      facts: { column: column.name },
    })
  }
}

function writeDefault(out: ByteSink, schema: AvroSchema, json: unknown): void {
  switch (schema.kind) {
    case 'null':
      return
    case 'boolean':
      out.byte(json === true ? 1 : 0)
      return
    case 'int':
    case 'long':
      out.long(BigInt(Number(json)))
      return
    case 'float':
      out.float(Number(json))
      return
    case 'double':
      out.double(Number(json))
      return
    case 'string':
      out.text(String(json))
      return
    case 'bytes':
      out.block(Buffer.from(String(json), 'latin1'))
      return
    case 'fixed':
      out.raw(Buffer.from(String(json), 'latin1'))
      return
    case 'enum':
      out.long(BigInt(schema.symbols.indexOf(String(json))))
      return
    case 'union': {
      const branch = schema.branches.findIndex((each) => isFittingDefault(each, json))
      out.long(BigInt(branch))
      writeDefault(out, schema.branches[branch]!, json)
      return
    }
    case 'array':
      writeItems(out, json as readonly unknown[], (each) => writeDefault(out, schema.items, each))
      return
    case 'map':
      writeItems(out, Object.entries(json as object), ([key, value]) => {
        out.text(key)
        writeDefault(out, schema.values, value)
      })
      return
    case 'record':
      for (const { name, type, fallback } of schema.fields) {
        const given = json as Readonly<Record<string, unknown>>
        writeDefault(out, type, Object.hasOwn(given, name) ? given[name] : fallback)
      }
  }
}

function writeItems<Item>(
  out: ByteSink,
  items: readonly Item[],
  write: (item: Item) => void,
): void {
  if (items.length > 0) {
    out.long(BigInt(items.length))
    for (const item of items) write(item)
  }
  out.long(0n)
}
