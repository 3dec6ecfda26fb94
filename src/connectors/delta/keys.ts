/**
 * Primary keys as strings, equal exactly where the keys are, and the buckets they fall into. The bucket of a key must never
 * change: tables are laid out by it.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { layoutOf } from '../../data/types.ts'
import { invariant } from '../../errors.ts'

/** The key of a row: one text a column, joined so that no two keys meet. */
export function keyReader(
  memory: LinearMemory,
  columns: readonly Vector[],
): (row: number) => string {
  const texts = columns.map((column) => columnText(memory, column))
  const [single] = texts
  if (texts.length === 1 && single !== undefined) return single
  return (row) => {
    let key = ''
    for (const text of texts) {
      const part = text(row)
      key += `${part.length}:${part}`
    }
    return key
  }
}

/** FNV-1a over the key's UTF-16 units, high bits folded in. */
export function bucketOf(key: string, buckets: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return ((hash ^ (hash >>> 15)) >>> 0) % buckets
}

function columnText(memory: LinearMemory, vector: Vector): (row: number) => string {
  const present = presentText(memory, vector)
  const { validity } = vector
  if (validity === 0) return present
  // 'N' is no text of a value: numbers have digits, bytes a leading 'b'.
  return (row) =>
    ((memory.u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0 ? 'N' : present(row)
}

function presentText(memory: LinearMemory, { cells, type }: Vector): (row: number) => string {
  const { i32, u32, i64, f64 } = memory
  switch (layoutOf(type)) {
    case 'i64':
      return (row) => {
        const at = (cells >>> 2) + 2 * row
        // Most keys fit a double, whose text is made without a bigint.
        const value = i32[at + 1]! * 4294967296 + u32[at]!
        return Number.isSafeInteger(value) ? String(value) : String(i64[cells / 8 + row]!)
      }
    case 'f64':
      return (row) => String(f64[cells / 8 + row]!)
    case 'i128':
      return (row) => {
        const at = cells / 8 + 2 * row
        return String((i64[at + 1]! << 64n) | BigInt.asUintN(64, i64[at]!))
      }
    case 'bytes': {
      const bytes = Buffer.from(memory.memory.buffer)
      return (row) => {
        const at = (cells >>> 2) + 2 * row
        const address = u32[at]!
        return `b${bytes.toString('latin1', address, address + u32[at + 1]!)}`
      }
    }
    default:
      invariant(false, `a ${type.kind} is no primary key`)
  }
}
