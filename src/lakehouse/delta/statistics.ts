/**
 * A file's statistics as Delta's JSON text: counts and bounds that other engines skip files by, so they must be true.
 *
 *   strings      cut to 32 code points; a cut maximum is raised so that it still bounds
 *   timestamps   whole ms, the minimum down, the maximum up
 *   FLOAT etc.   no bounds with NaN or an infinity among them, which JSON can't tell
 *   BOOLEAN, BINARY only nullCount; ARRAY, MAP nothing
 *
 * @see Delta protocol, "Per-file Statistics"
 */
import { dateText, splitMicros, timestampText } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import { decimalText } from '../../data/values.ts'
import type { Bound } from '../../formats/parquet/bounds.ts'
import type { WrittenFile } from '../../formats/parquet/write.ts'

const STRING_POINTS_MAX = 32
/** delta.dataSkippingNumIndexedCols unless the table says otherwise. */
const COLUMNS_DEFAULT = 32

/** JSON text; only the first `columns` leaves have statistics of their own (-1: all). */
export function statisticsText(file: WrittenFile, columns = COLUMNS_DEFAULT): string {
  const min: Tree = new Map()
  const max: Tree = new Map()
  const nulls: Tree = new Map()
  const indexed = columns < 0 ? file.leaves : file.leaves.slice(0, columns)
  for (const { leaf, statistics } of indexed) {
    // Of the entries of an ARRAY or MAP, not of its rows: nothing Delta has a place for.
    if (leaf.repetitionMax > 0) continue
    place(nulls, leaf.path, String(statistics.nullCount))
    if (statistics.bounds === undefined) continue
    const low = boundText(leaf.type, statistics.bounds.min, 'min')
    const high = boundText(leaf.type, statistics.bounds.max, 'max')
    if (low === undefined || high === undefined) continue
    place(min, leaf.path, low)
    place(max, leaf.path, high)
  }
  const members = [`"minValues":${treeText(min)}`, `"maxValues":${treeText(max)}`]
  return `{"numRecords":${file.rowCount},${members.join(',')},"nullCount":${treeText(nulls)}}`
}

/** JSON text of one bound; undefined where there is none to be told. */
export function boundText(type: DataType, bound: Bound, side: 'min' | 'max'): string | undefined {
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return String(bound)
    case 'decimal':
      return decimalText(BigInt(bound as bigint | number), type.scale)
    case 'float':
    case 'double':
      return Number.isFinite(bound) ? JSON.stringify(bound) : undefined
    case 'char':
    case 'varchar':
      return stringText(bound as Uint8Array, side)
    case 'date':
      return fourDigitYear(Number(bound)) ? `"${dateText(Number(bound))}"` : undefined
    case 'timestamp':
      return timeBoundText(bound as bigint, side, '')
    case 'timestamp_ltz':
      return timeBoundText(bound as bigint, side, 'Z')
    default:
      return undefined
  }
}

function stringText(bytes: Uint8Array, side: 'min' | 'max'): string | undefined {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
  const points = [...text]
  if (points.length <= STRING_POINTS_MAX) return JSON.stringify(text)
  const prefix = points.slice(0, STRING_POINTS_MAX).join('')
  if (side === 'min') return JSON.stringify(prefix)
  // The greatest code point after the prefix is beyond any text that goes on with a lesser one.
  if (points[STRING_POINTS_MAX] === '\u{10ffff}') return undefined
  return JSON.stringify(`${prefix}\u{10ffff}`)
}

function timeBoundText(micros: bigint, side: 'min' | 'max', zone: string): string | undefined {
  const rounded = wholeMillis(micros, side)
  if (!fourDigitYear(splitMicros(rounded).days)) return undefined
  return `"${timestampText(rounded, 3, 'T')}${zone}"`
}

/** Readers parse years 0001 to 9999; a bound beyond is better not told. */
function fourDigitYear(days: number): boolean {
  return days >= -719_162 && days <= 2_932_896
}

function wholeMillis(micros: bigint, side: 'min' | 'max'): bigint {
  const into = ((micros % 1000n) + 1000n) % 1000n
  if (into === 0n) return micros
  return side === 'min' ? micros - into : micros - into + 1000n
}

type Tree = Map<string, string | Tree>

function place(tree: Tree, path: readonly string[], text: string): void {
  let at = tree
  for (const name of path.slice(0, -1)) {
    const inner = at.get(name)
    const next: Tree = inner instanceof Map ? inner : new Map()
    at.set(name, next)
    at = next
  }
  at.set(path.at(-1)!, text)
}

function treeText(tree: Tree): string {
  const members = [...tree].map(([name, value]) => {
    return `${JSON.stringify(name)}:${value instanceof Map ? treeText(value) : value}`
  })
  return `{${members.join(',')}}`
}
