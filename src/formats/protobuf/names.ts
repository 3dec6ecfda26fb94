/** Which type a name in a Protobuf schema means: types by full name, looked up from the innermost scope outwards. */
import { parseProto } from './parse.ts'
import type { ProtoFile, ProtoType } from './schema.ts'

export interface NamedType {
  /** 'com.shop.Order.Line', without a leading dot. */
  readonly name: string
  /** Of its file: '' if none. */
  readonly package: string
  readonly type: ProtoType
  /** True if it stands in the schema's own text. */
  readonly isLocal: boolean
}

export interface ProtoNames {
  readonly file: ProtoFile
  /** @param scope the full name of what the name is written in */
  resolve(name: string, scope: string): NamedType | undefined
  all(): Iterable<NamedType>
}

/** @throws SCHEMA_INVALID if a text is none, or a type has two definitions */
export function readProto(schema: {
  readonly text: string
  readonly references: readonly { readonly text: string }[]
}): ProtoNames {
  const types = new Map<string, NamedType>()
  const collect = (
    list: readonly ProtoType[],
    scope: string,
    packageName: string,
    isLocal: boolean,
  ): void => {
    for (const type of list) {
      const name = scope === '' ? type.name : `${scope}.${type.name}`
      types.set(name, { name, package: packageName, type, isLocal })
      if (type.kind === 'message') collect(type.types, name, packageName, isLocal)
    }
  }
  for (const { text } of schema.references) {
    const file = parseProto(text)
    collect(file.types, file.package, file.package, false)
  }
  const file = parseProto(schema.text)
  collect(file.types, file.package, file.package, true)
  return {
    file,
    all: () => types.values(),
    resolve(name, scope) {
      if (name.startsWith('.')) return types.get(name.slice(1))
      for (
        let outer = scope;
        outer !== '';
        outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))
      ) {
        const found = types.get(`${outer}.${name}`)
        if (found !== undefined) return found
      }
      return types.get(name)
    },
  }
}
