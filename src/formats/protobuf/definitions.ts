/**
 * What a new schema must not say, beside what its text shows by itself: types that are nowhere, keys that no map has, and enums that
 * their language refuses. Schemas that are registered already are read without this: data was written with them.
 *
 * @see Protocol Buffers language specification, "Enumerations", "Maps" and "Specifying Field Rules"
 */
import { MillraceError } from '../../errors.ts'
import type { ProtoNames } from './names.ts'
import {
  type ProtoEnum,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoType,
  SCALARS,
} from './schema.ts'

const NO_KEYS: ReadonlySet<string> = new Set(['double', 'float', 'bytes'])

/** @throws SCHEMA_INVALID */
export function checkDefinitions(names: ProtoNames): void {
  const { file } = names
  // What protoc brings along need not come as a reference, and is not looked into.
  const isBundled = (type: string): boolean =>
    /^\.?(google|confluent)\./.test(type) &&
    file.imports.some((path) => /^(google|confluent)\//.test(path))
  const check = (types: readonly ProtoType[], scope: string): void => {
    for (const type of types) {
      const name = scope === '' ? type.name : `${scope}.${type.name}`
      const wrong =
        type.kind === 'enum'
          ? enumProblem(type, file)
          : messageProblem(
              type,
              file,
              (each) => names.resolve(each, name) !== undefined || isBundled(each),
            )
      if (wrong !== undefined) throw invalid(name, wrong)
      if (type.kind === 'message') check(type.types, name)
    }
  }
  check(file.types, file.package)
}

function messageProblem(
  { fields }: ProtoMessage,
  { syntax }: ProtoFile,
  isDefined: (type: string) => boolean,
): string | undefined {
  for (const field of fields) {
    const { name, type, label } = field
    if (!SCALARS.has(type) && !isDefined(type))
      return `field ${name} is of type ${type}, which neither the schema nor its references define`
    if (label === 'required' && syntax === 'proto3')
      return `field ${name} is required, which proto3 does not have`
    const problem = mapProblem(field)
    if (problem !== undefined) return problem
  }
  return undefined
}

function mapProblem({ name, key, label, oneof }: ProtoField): string | undefined {
  if (key === undefined) return undefined
  if (!SCALARS.has(key) || NO_KEYS.has(key)) return `map ${name} can't have keys of type ${key}`
  if (label !== undefined || oneof !== undefined)
    return `map ${name} can be neither ${label ?? 'repeated'} nor in a oneof`
  return undefined
}

function enumProblem(
  { values, allowsAlias }: ProtoEnum,
  { syntax }: ProtoFile,
): string | undefined {
  const first = values[0]
  if (syntax === 'proto3' && first !== undefined && first.number !== 0)
    return `its first value ${first.name} is ${first.number}, and 0 in proto3`
  const byNumber = new Map<number, string>()
  for (const { name, number } of values) {
    const other = byNumber.get(number)
    if (other !== undefined && allowsAlias !== true)
      return `${other} and ${name} are both ${number}, without allow_alias`
    byNumber.set(number, name)
  }
  return undefined
}

function invalid(name: string, what: string): MillraceError {
  return new MillraceError('SCHEMA_INVALID', {
    message: `the PROTOBUF schema is invalid at ${name}: ${what}`,
    hint: 'types of other subjects come as references; nothing is fetched from the network',
    facts: { name },
  })
}
