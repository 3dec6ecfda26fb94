/**
 * Reads .proto texts: proto2, proto3 and editions, with options, extensions and services passed over.
 * @see Protocol Buffers language specification, proto2, proto3 and editions
 */
import { checkSchemaSize } from '../schema-json.ts'
import { checkMessage } from './check.ts'
import { readDescriptor } from './descriptor.ts'
import type { ProtoEnum, ProtoField, ProtoFile, ProtoMessage, ProtoType } from './schema.ts'
import { type Tokens, tokenize } from './tokens.ts'

const DEPTH_MAX = 64

/** Text, or a serialized FileDescriptorProto in base64: what clients register either way. @throws SCHEMA_INVALID */
export function parseProto(text: string): ProtoFile {
  checkSchemaSize('PROTOBUF', text)
  if (isDescriptor(text)) return readDescriptor(Buffer.from(text.trim(), 'base64'))
  return parseFile(tokenize(text))
}

/** True if it is base64: no .proto text is. */
export function isDescriptor(text: string): boolean {
  const compact = text.trim()
  return compact.length > 4 && compact.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(compact)
}

function parseFile(tokens: Tokens): ProtoFile {
  let syntax: ProtoFile['syntax'] = 'proto2'
  let packageName = ''
  const imports: string[] = []
  const types: ProtoType[] = []
  while (tokens.peek() !== '') {
    const word = tokens.take()
    switch (word) {
      case ';':
        break
      case 'syntax':
      case 'edition': {
        tokens.expect('=')
        const value = tokens.string()
        if (word === 'edition') syntax = 'editions'
        else if (value === 'proto2' || value === 'proto3') syntax = value
        else throw tokens.fail(`there is no syntax ${JSON.stringify(value)}`)
        tokens.expect(';')
        break
      }
      case 'package':
        packageName = tokens.name()
        tokens.expect(';')
        break
      case 'import':
        if (!tokens.skip('public')) tokens.skip('weak')
        imports.push(tokens.string())
        tokens.expect(';')
        break
      case 'message':
        types.push(parseMessage(tokens, syntax, 0))
        break
      case 'enum':
        types.push(parseEnum(tokens))
        break
      case 'option':
        skipStatement(tokens)
        break
      case 'extend':
      case 'service':
        tokens.name()
        skipBlock(tokens)
        break
      default:
        throw tokens.fail(`${JSON.stringify(word)} is not expected`)
    }
  }
  return { syntax, package: packageName, imports, types }
}

interface Body {
  readonly fields: ProtoField[]
  readonly oneofs: string[]
  readonly types: ProtoType[]
  readonly reserved: (readonly [number, number])[]
  readonly reservedNames: string[]
}

function parseMessage(tokens: Tokens, syntax: ProtoFile['syntax'], depth: number): ProtoMessage {
  const name = tokens.name()
  return messageBody(tokens, name, syntax, depth)
}

function messageBody(
  tokens: Tokens,
  name: string,
  syntax: ProtoFile['syntax'],
  depth: number,
): ProtoMessage {
  if (depth > DEPTH_MAX) throw tokens.fail(`messages are nested deeper than ${DEPTH_MAX} levels`)
  const body: Body = { fields: [], oneofs: [], types: [], reserved: [], reservedNames: [] }
  tokens.expect('{')
  while (!tokens.skip('}')) parseMember(tokens, body, syntax, depth)
  const message: ProtoMessage = { kind: 'message', name, ...body }
  checkMessage(message)
  return message
}

function parseMember(tokens: Tokens, body: Body, syntax: ProtoFile['syntax'], depth: number): void {
  const word = tokens.peek()
  switch (word) {
    case ';':
      tokens.take()
      return
    case 'message':
    case 'enum':
    case 'oneof':
    case 'extend':
    case 'option':
    case 'reserved':
    case 'extensions':
      break
    default:
      body.fields.push(parseField(tokens, body, syntax, depth))
      return
  }
  tokens.take()
  // All of these may also be the name of a field's type: `message` never is, and protoc takes them for keywords too.
  if (word === 'message') body.types.push(parseMessage(tokens, syntax, depth + 1))
  else if (word === 'enum') body.types.push(parseEnum(tokens))
  else if (word === 'oneof') parseOneof(tokens, body, syntax, depth)
  else if (word === 'extend') {
    tokens.name()
    skipBlock(tokens)
  } else if (word === 'reserved') parseReserved(tokens, body)
  else skipStatement(tokens)
}

function parseOneof(tokens: Tokens, body: Body, syntax: ProtoFile['syntax'], depth: number): void {
  const oneof = tokens.name()
  body.oneofs.push(oneof)
  tokens.expect('{')
  while (!tokens.skip('}')) {
    if (tokens.skip(';')) continue
    if (tokens.skip('option')) skipStatement(tokens)
    else body.fields.push({ ...parseField(tokens, body, syntax, depth), oneof })
  }
}

function parseField(
  tokens: Tokens,
  body: Body,
  syntax: ProtoFile['syntax'],
  depth: number,
): ProtoField {
  const label = labelOf(tokens)
  if (tokens.peek() === 'group') return parseGroup(tokens, body, syntax, depth, label)
  let type = tokens.name()
  let key: string | undefined
  if (type === 'map' && tokens.skip('<')) {
    key = tokens.name()
    tokens.expect(',')
    type = tokens.name()
    tokens.expect('>')
  }
  const name = tokens.name()
  tokens.expect('=')
  const number = tokens.integer()
  const options = fieldOptions(tokens)
  tokens.expect(';')
  return {
    name,
    number,
    type,
    ...(key === undefined ? {} : { key }),
    ...(label === undefined ? {} : { label }),
    ...options,
  }
}

function labelOf(tokens: Tokens): ProtoField['label'] | undefined {
  const word = tokens.peek()
  if (word !== 'optional' && word !== 'required' && word !== 'repeated') return undefined
  tokens.take()
  return word
}

/** `optional group Result = 1 { ... }`: a message, and a field of it. */
function parseGroup(
  tokens: Tokens,
  body: Body,
  syntax: ProtoFile['syntax'],
  depth: number,
  label: ProtoField['label'],
): ProtoField {
  tokens.expect('group')
  const name = tokens.name()
  tokens.expect('=')
  const number = tokens.integer()
  fieldOptions(tokens)
  body.types.push(messageBody(tokens, name, syntax, depth + 1))
  const field = { name: name.toLowerCase(), number, type: name }
  return label === undefined ? field : { ...field, label }
}

function fieldOptions(tokens: Tokens): Pick<ProtoField, 'jsonName' | 'isPacked'> {
  const found: { jsonName?: string; isPacked?: boolean } = {}
  if (!tokens.skip('[')) return found
  do {
    const name = optionName(tokens)
    tokens.expect('=')
    if (name === 'json_name') found.jsonName = tokens.string()
    else if (name === 'packed') found.isPacked = tokens.take() === 'true'
    else skipValue(tokens)
  } while (tokens.skip(','))
  tokens.expect(']')
  return found
}

function optionName(tokens: Tokens): string {
  let name = ''
  while (tokens.peek() !== '=' && tokens.peek() !== '') name += tokens.take()
  return name
}

function skipValue(tokens: Tokens): void {
  const word = tokens.peek()
  if (word === '{') skipBlock(tokens)
  else if (/^["']/.test(word)) tokens.string()
  else {
    if (!tokens.skip('-')) tokens.skip('+')
    tokens.take()
  }
}

function parseReserved(tokens: Tokens, body: Body): void {
  do {
    const word = tokens.peek()
    if (/^["']/.test(word)) body.reservedNames.push(tokens.string())
    else if (/^[A-Za-z_]/.test(word)) body.reservedNames.push(tokens.name())
    else {
      const first = tokens.integer()
      const last = tokens.skip('to') ? lastOf(tokens) : first
      body.reserved.push([first, last])
    }
  } while (tokens.skip(','))
  tokens.expect(';')
}

function lastOf(tokens: Tokens): number {
  return tokens.skip('max') ? 2 ** 29 - 1 : tokens.integer()
}

function parseEnum(tokens: Tokens): ProtoEnum {
  const name = tokens.name()
  const values: { name: string; number: number }[] = []
  let allowsAlias = false
  tokens.expect('{')
  while (!tokens.skip('}')) {
    if (tokens.skip(';')) continue
    const word = tokens.name()
    if (word === 'option' || word === 'reserved') {
      const said = skipStatement(tokens)
      if (word === 'option' && said === 'allow_alias=true') allowsAlias = true
      continue
    }
    tokens.expect('=')
    values.push({ name: word, number: tokens.integer() })
    fieldOptions(tokens)
    tokens.expect(';')
  }
  if (values.length === 0) throw tokens.fail(`enum ${name} has no values`)
  return { kind: 'enum', name, values, allowsAlias }
}

/** What it says, without what stands in braces. */
function skipStatement(tokens: Tokens): string {
  let said = ''
  for (let word = tokens.take(); word !== ';'; word = tokens.take())
    if (word === '{') skipRest(tokens)
    else said += word
  return said
}

function skipBlock(tokens: Tokens): void {
  tokens.expect('{')
  skipRest(tokens)
}

/** Behind an opening brace. */
function skipRest(tokens: Tokens): void {
  for (let depth = 1; depth > 0; ) {
    const word = tokens.take()
    if (word === '{') depth++
    else if (word === '}') depth--
  }
}
