/** Says in words why a JSON record is refused. */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import { JSON_FAULT, type JsonRowFault } from '../../kernels/json.ts'

const TOKEN_BYTES_MAX = 60

const SYNTAX: Readonly<Record<number, string>> = {
  [JSON_FAULT.object]: 'expected "{"',
  [JSON_FAULT.key]: 'expected a key in double quotes',
  [JSON_FAULT.colon]: 'expected ":"',
  [JSON_FAULT.brace]: 'expected "," or "}"',
  [JSON_FAULT.bracket]: 'expected "," or "]"',
  [JSON_FAULT.value]: 'expected a value',
  [JSON_FAULT.literal]: 'expected true, false or null',
  [JSON_FAULT.number]: 'not a number as JSON writes it',
  [JSON_FAULT.control]: 'a control character inside a string',
  [JSON_FAULT.escape]: 'not an escape that JSON knows',
  [JSON_FAULT.unended]: 'the string does not end',
  [JSON_FAULT.utf8]: 'not valid UTF-8',
  [JSON_FAULT.depth]: 'nested deeper than 128 levels',
  [JSON_FAULT.after]: 'bytes after the object',
}

/** 'column price: 12.345 does not fit DECIMAL(10, 2)', 'byte 17: expected ":"'; bytes count from the record's start. */
export function faultText(memory: LinearMemory, record: Pointer, fault: JsonRowFault): string {
  const { node } = fault
  if (fault.code === JSON_FAULT.nothing) return 'the record has no value'
  if (node === undefined) return `byte ${fault.address - record}: ${SYNTAX[fault.code]}`
  const column = `column ${node.path}`
  if (fault.code === JSON_FAULT.missing) return `${column}: missing or null, but declared NOT NULL`
  const token = tokenText(memory, fault.address, fault.stop)
  const type = typeText(node.type)
  if (fault.code === JSON_FAULT.range) return `${column}: ${token} does not fit ${type}`
  if (fault.code === JSON_FAULT.format) return `${column}: ${token} is not a valid ${type}`
  return `${column}: ${token} is not of type ${type}`
}

function tokenText(memory: LinearMemory, from: Pointer, to: Pointer): string {
  const stop = Math.min(to, from + TOKEN_BYTES_MAX)
  const text = new TextDecoder().decode(memory.u8.slice(from, stop))
  return stop < to ? `${text}…` : text
}

function typeText(type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'char':
    case 'varchar':
      return 'STRING'
    case 'binary':
    case 'varbinary':
      return 'BYTES'
    case 'time':
    case 'timestamp':
    case 'timestamp_ltz':
      return `${type.kind.toUpperCase()}(${type.precision})`
    default:
      return type.kind.toUpperCase()
  }
}
