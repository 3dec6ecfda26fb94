/**
 * The layout of records, predicted from one: which bytes stand between the values, and what kind each value is.
 *
 * Keys, their order, spacing, NULLs, missing fields and the shape of nested objects are taken to be the same in every record; a
 * record where they are not does not match, and goes the generic way. So a layout can be wrong only in speed.
 */
import type { JsonNode } from '../../kernels/json-tree.ts'

export type SegmentKind =
  | 'string'
  | 'integer'
  | 'double'
  | 'decimal'
  | 'boolean'
  | 'time'
  /** Unprojected number. */
  | 'number'
  /** Whatever needs a call: the record is decoded alone, not with its neighbours. */
  | 'cold'

export interface Segment {
  /** Bytes from the last value to this one. */
  readonly literal: Uint8Array
  readonly kind: SegmentKind
  /** The column; undefined if the value is only checked. */
  readonly node: JsonNode | undefined
  /** Digits after the seconds, of 'time'. */
  readonly fraction: 0 | 3
  /** Between date and time, of 'time'. */
  readonly separator: ' ' | 'T'
  /** Whether 0 is to be expected of 'integer': it costs a little, and without it a 0 takes the row out of its group. */
  readonly zeros: boolean
}

export interface Layout {
  readonly segments: readonly Segment[]
  /** Bytes behind the last value. */
  readonly tail: Uint8Array
  /** Columns that are NULL or missing in every record of this layout, children of NULL rows included. */
  readonly absent: readonly JsonNode[]
}

/** Layouts with more values than this are not worth their code. */
const SEGMENTS_MAX = 200
const [QUOTE, BACKSLASH, COMMA, ZERO] = [34, 92, 44, 48] as const
const [OPEN, CLOSE, BRACKET] = [123, 125, 91] as const

/** The layout of `sample`, which is a sound JSON object; undefined where records like it are better read the generic way. */
export function predictLayout(
  sample: Uint8Array,
  columns: readonly JsonNode[],
  separator: ' ' | 'T',
): Layout | undefined {
  const scan: Scan = { bytes: sample, at: 0, last: 0, segments: [], absent: [], separator }
  space(scan)
  if (!readObject(scan, columns) || scan.segments.length > SEGMENTS_MAX) return undefined
  return { segments: scan.segments, tail: sample.slice(scan.last), absent: scan.absent }
}

interface Scan {
  readonly bytes: Uint8Array
  at: number
  /** Where the literal before the next value began. */
  last: number
  readonly segments: Segment[]
  readonly absent: JsonNode[]
  readonly separator: ' ' | 'T'
}

/** `fields` undefined: an object that no column wants. False: no layout. */
function readObject(scan: Scan, fields: readonly JsonNode[] | undefined): boolean {
  const seen = new Set<string>()
  scan.at++
  space(scan)
  while (scan.bytes[scan.at] !== CLOSE) {
    const key = readKey(scan)
    if (key === undefined || seen.has(key)) return false
    seen.add(key)
    space(scan)
    scan.at++
    space(scan)
    const node = fields?.find(({ name }) => name === key)
    if (!readValue(scan, node)) return false
    space(scan)
    if (scan.bytes[scan.at] === COMMA) scan.at++
    space(scan)
  }
  scan.at++
  const missing = (fields ?? []).filter(({ name }) => !seen.has(name))
  return missing.every((node) => markAbsent(scan, node))
}

function markAbsent(scan: Scan, node: JsonNode): boolean {
  scan.absent.push(node)
  return node.type.nullable
}

/** Undefined if it is spelled with escapes. */
function readKey(scan: Scan): string | undefined {
  const end = stringEnd(scan)
  const key = scan.bytes.subarray(scan.at + 1, end)
  scan.at = end + 1
  return key.includes(BACKSLASH) ? undefined : new TextDecoder().decode(key)
}

function readValue(scan: Scan, node: JsonNode | undefined): boolean {
  const { bytes } = scan
  const first = bytes[scan.at]!
  if (first === QUOTE) return readString(scan, node)
  if (first === OPEN && node?.type.kind === 'row') return readObject(scan, node.children)
  if (first === OPEN && node === undefined) return readObject(scan, undefined)
  if (first === OPEN || first === BRACKET) return readCold(scan, node, nestedEnd(scan))
  const end = wordEnd(scan)
  const word = new TextDecoder().decode(bytes.subarray(scan.at, end))
  if (word === 'null') {
    scan.at = end
    return node === undefined || markAbsent(scan, node)
  }
  if (word === 'true' || word === 'false')
    return node === undefined || node.type.kind === 'boolean'
      ? addSegment(scan, 'boolean', node, end)
      : readCold(scan, node, end)
  return readNumber(scan, node, end)
}

function readNumber(scan: Scan, node: JsonNode | undefined, end: number): boolean {
  switch (node?.type.kind) {
    case undefined: {
      const digits = scan.bytes.subarray(scan.at, end).every((byte) => byte >= 48 && byte <= 57)
      return addSegment(scan, digits ? 'integer' : 'number', node, end)
    }
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return addSegment(scan, 'integer', node, end)
    case 'float':
    case 'double':
      return addSegment(scan, 'double', node, end)
    case 'decimal':
      if (node.type.precision <= 18) return addSegment(scan, 'decimal', node, end)
      return readCold(scan, node, end)
    default:
      return readCold(scan, node, end)
  }
}

/** The literals take the quotes: a value is what stands between them, but for cold ones. */
function readString(scan: Scan, node: JsonNode | undefined): boolean {
  const end = stringEnd(scan)
  switch (node?.type.kind) {
    case undefined:
    case 'char':
    case 'varchar':
      scan.at++
      addSegment(scan, 'string', node, end)
      scan.at = end + 1
      return true
    case 'timestamp':
    case 'timestamp_ltz': {
      const text = new TextDecoder().decode(scan.bytes.subarray(scan.at + 1, end))
      const zone = node.type.kind === 'timestamp_ltz' ? 'Z' : ''
      const shape = text.replace(/\d/g, '0')
      const seconds = `0000-00-00${scan.separator}00:00:00`
      if (shape !== `${seconds}${zone}` && shape !== `${seconds}.000${zone}`)
        return readCold(scan, node, end + 1)
      scan.at++
      addSegment(scan, 'time', node, end - zone.length, shape.includes('.') ? 3 : 0)
      scan.at = end + 1
      return true
    }
    default:
      return readCold(scan, node, end + 1)
  }
}

function readCold(scan: Scan, node: JsonNode | undefined, end: number): boolean {
  return addSegment(scan, 'cold', node, end)
}

function addSegment(
  scan: Scan,
  kind: SegmentKind,
  node: JsonNode | undefined,
  end: number,
  fraction: 0 | 3 = 0,
): boolean {
  const literal = scan.bytes.slice(scan.last, scan.at)
  const zeros = scan.bytes[scan.at] === ZERO || (node !== undefined && node.type.kind !== 'bigint')
  scan.segments.push({ literal, kind, node, fraction, separator: scan.separator, zeros })
  scan.at = end
  scan.last = end
  return true
}

function space(scan: Scan): void {
  while (scan.bytes[scan.at]! <= 32) scan.at++
}
function stringEnd({ bytes, at }: Scan): number {
  let end = at + 1
  while (bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1
  return end
}
function wordEnd({ bytes, at }: Scan): number {
  let end = at
  while (end < bytes.length && /[-+.\w]/.test(String.fromCharCode(bytes[end]!))) end++
  return end
}
function nestedEnd(scan: Scan): number {
  const { bytes } = scan
  let depth = 0
  let at = scan.at
  do {
    const byte = bytes[at]!
    if (byte === QUOTE) at = stringEnd({ ...scan, at })
    else if (byte === OPEN || byte === BRACKET) depth++
    else if (byte === CLOSE || byte === 93) depth--
    at++
  } while (depth > 0)
  return at
}
