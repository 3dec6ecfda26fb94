/** Whether records of a JSON Schema can be read into columns: what its properties may be, held against what the decoder takes. */
import type { DataType, Field } from '../data/types.ts'
import type { JsonSchema } from '../registry/json-schema/schema.ts'

/** Why they can't; undefined if they can, or if the schema does not say what they are. */
export function jsonProblem(
  schema: JsonSchema,
  columns: readonly Field[],
  path = '',
): string | undefined {
  const objects = partsOf(schema).filter((part) => part.kind === 'object')
  if (objects.length === 0) return undefined
  for (const { name, type } of columns) {
    const column = `${path}${name}`
    const properties = objects.flatMap((object) => {
      const found =
        object.properties.get(name) ??
        object.patterns.find(([pattern]) => pattern.find(name, 0) !== undefined)?.[1] ??
        (typeof object.additional === 'boolean' ? undefined : object.additional)
      return found === undefined ? [] : [found]
    })
    if (properties.length === 0) {
      if (!type.nullable) return `column ${column} is NOT NULL, and the schema has no such property`
      // Of a ROW it is not known which fields are looked at.
      if (path !== '') continue
      return `column ${column} would be NULL: the schema has no such property`
    }
    const problem = valueProblem(properties, type, column)
    if (problem !== undefined) return problem
  }
  return undefined
}

function valueProblem(
  properties: readonly JsonSchema[],
  type: DataType,
  column: string,
): string | undefined {
  const parts = properties.flatMap(partsOf)
  const kinds = new Set(parts.flatMap(kindsOf))
  if (kinds.has('any')) return undefined
  const taken = kindsTaken(type)
  const [first] = [...kinds].filter((kind) => kind !== 'null')
  if (taken !== undefined && first !== undefined && !taken.some((kind) => kinds.has(kind)))
    return `column ${column} is ${type.kind.toUpperCase()}, and the schema's property is ${first}`
  if (type.kind !== 'row') return undefined
  for (const property of properties) {
    const problem = jsonProblem(property, type.fields, `${column}.`)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** The schemas that it is made of: what a reference names, and branches of all kinds. A schema may be within itself. */
function partsOf(schema: JsonSchema): readonly JsonSchema[] {
  const seen = new Set<JsonSchema>()
  const found: JsonSchema[] = []
  const waiting = [schema]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    if (next.kind === 'ref') waiting.push(next.resolve())
    else if (next.kind === 'combined') waiting.push(...next.branches)
    else found.push(next)
  }
  return found
}

function kindsOf(part: JsonSchema): readonly string[] {
  switch (part.kind) {
    case 'enum':
      return [...part.values].map(kindOfText)
    case 'const':
      return [kindOfText(part.value)]
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
    case 'object':
    case 'array':
      return [part.kind]
    case 'none':
      return []
    default:
      return ['any']
  }
}

/** Of a value that is written as JSON. */
function kindOfText(text: string): string {
  const value: unknown = JSON.parse(text)
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** What the decoder takes for a column; undefined: anything. */
function kindsTaken({ kind }: DataType): readonly string[] | undefined {
  switch (kind) {
    case 'char':
    case 'varchar':
      return undefined
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'float':
    case 'double':
      return ['number', 'string']
    case 'boolean':
      return ['boolean', 'string']
    case 'array':
      return ['array']
    case 'row':
    case 'map':
      return ['object']
    default:
      return ['string']
  }
}
