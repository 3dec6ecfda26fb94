/** A schema that was registered as a descriptor, as the text of a .proto file: what other clients read. Options are left out, but for json_name. */
import { parseProto } from './parse.ts'
import type { ProtoField, ProtoFile, ProtoMessage, ProtoType } from './schema.ts'

/** @throws SCHEMA_INVALID */
export function descriptorText(descriptor: string): string {
  return protoText(parseProto(descriptor))
}

export function protoText(file: ProtoFile): string {
  const head = file.syntax === 'editions' ? 'edition = "2023";' : `syntax = "${file.syntax}";`
  return `${[
    head,
    ...(file.package === '' ? [] : [`package ${file.package};`]),
    ...file.imports.map((path) => `import ${JSON.stringify(path)};`),
    ...file.types.flatMap((type) => typeLines(type)),
  ].join('\n')}\n`
}

function typeLines(type: ProtoType): string[] {
  if (type.kind === 'enum')
    return block(`enum ${type.name}`, [
      ...(type.allowsAlias === true ? ['option allow_alias = true;'] : []),
      ...type.values.map(({ name, number }) => `${name} = ${number};`),
    ])
  return block(`message ${type.name}`, messageLines(type))
}

function messageLines(message: ProtoMessage): string[] {
  const alone = message.fields.filter(({ oneof }) => oneof === undefined)
  return [
    ...message.reserved.map(([first, last]) => `reserved ${first} to ${last};`),
    ...message.reservedNames.map((name) => `reserved ${JSON.stringify(name)};`),
    ...alone.map(fieldLine),
    ...message.oneofs.flatMap((oneof) =>
      block(
        `oneof ${oneof}`,
        message.fields.filter((field) => field.oneof === oneof).map(fieldLine),
      ),
    ),
    ...message.types.flatMap(typeLines),
  ]
}

function fieldLine({ name, number, type, key, label, isPacked, jsonName }: ProtoField): string {
  const options = [
    ...(isPacked === undefined ? [] : [`packed = ${isPacked}`]),
    ...(jsonName === undefined ? [] : [`json_name = ${JSON.stringify(jsonName)}`]),
  ]
  const shown = key === undefined ? type : `map<${key}, ${type}>`
  const tail = options.length === 0 ? '' : ` [${options.join(', ')}]`
  return `${label === undefined ? '' : `${label} `}${shown} ${name} = ${number}${tail};`
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), '}']
}
