/** Whether declared columns fit a table that is there: pure. */
import { type Schema, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { deltaTypeOf } from '../../lakehouse/delta/table-schema.ts'

export interface Fit {
  /** The declared columns with the table's nullability: what data files are written by. */
  readonly schema: Schema
  /** Declared columns that the table lacks. */
  readonly missing: Schema
  /** Why a declared column can't be written to the table: names it and both types. */
  readonly problems: readonly string[]
}

export function fitSchema(declared: Schema, table: Schema): Fit {
  const byName = new Map(table.map((field) => [field.name, field]))
  const byFolded = new Map(table.map((field) => [field.name.toLowerCase(), field]))
  const schema: Schema[number][] = []
  const missing: Schema[number][] = []
  const problems: string[] = []
  for (const field of declared) {
    const found = byName.get(field.name)
    const folded = byFolded.get(field.name.toLowerCase())
    if (found === undefined && folded !== undefined) {
      problems.push(`column '${field.name}' is written '${folded.name}' in the table`)
    } else if (found === undefined) {
      missing.push(field)
      schema.push(field)
    } else {
      const [ours, theirs] = [typeText(field), typeText(found)]
      if (ours !== theirs) {
        problems.push(`column '${field.name}' is ${ours} here and ${theirs} in the table`)
      }
      schema.push({ name: field.name, type: withNullability(field.type, found.type.nullable) })
    }
  }
  const declaredNames = new Set(declared.map(({ name }) => name))
  for (const field of table) {
    if (!declaredNames.has(field.name) && !field.type.nullable) {
      problems.push(`column '${field.name}' is NOT NULL in the table and not declared here`)
    }
  }
  return { schema, missing, problems }
}

/** What does not fit, missing columns included; undefined if all does. */
export function fitProblem(declared: Schema, table: Schema): string | undefined {
  const { missing, problems } = fitSchema(declared, table)
  const lacks = missing.map(
    (field) => `column '${field.name}' (${typeText(field)}) is not in the table`,
  )
  const all = [...problems, ...lacks]
  return all.length === 0 ? undefined : all.join('; ')
}

export function schemaMismatch(table: string, url: string, problem: string): MillraceError {
  return new MillraceError('DELTA_SCHEMA_MISMATCH', {
    message: `table '${table}' does not fit the Delta table ${url}: ${problem}`,
    hint: "declare the columns as the Delta table has them, or for new columns set 'schema.evolution' = 'add-columns'",
    facts: { table, url, problem },
  })
}

/** Nullability inside ROWs and ARRAYs is left out: writers check it value by value. */
function typeText(field: Schema[number]): string {
  const type = deltaTypeOf(field.type, [field.name])
  if (typeof type === 'string') return type
  const plain = JSON.stringify(type, (key, value: unknown) =>
    key === 'nullable' || key === 'metadata' || key.endsWith('ontainsNull') ? undefined : value,
  )
  return plain
}
