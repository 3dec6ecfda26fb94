/** Equality of two values of one type, wherever they lie: NULL equals NULL, texts are compared by content. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { cellBytes, layoutOf } from '../../data/types.ts'
import { isNull } from '../../data/values.ts'

export function sameValue(
  memory: LinearMemory,
  left: Vector,
  leftRow: number,
  right: Vector,
  rightRow: number,
): boolean {
  const leftIsNull = isNull(memory, left, leftRow)
  if (leftIsNull !== isNull(memory, right, rightRow)) return false
  if (leftIsNull) return true
  if (left.children !== undefined)
    return left.children.every((child, index) =>
      sameValue(memory, child, leftRow, right.children![index]!, rightRow),
    )
  const { i64, u32, u8 } = memory
  if (layoutOf(left.type) === 'bytes') {
    const [a, b] = [left.cells / 4 + 2 * leftRow, right.cells / 4 + 2 * rightRow]
    const length = u32[a + 1]!
    if (length !== u32[b + 1]!) return false
    for (let at = 0; at < length; at++) if (u8[u32[a]! + at] !== u8[u32[b]! + at]) return false
    return true
  }
  const words = cellBytes(left.type) / 8
  for (let word = 0; word < words; word++) {
    if (
      i64[left.cells / 8 + words * leftRow + word] !==
      i64[right.cells / 8 + words * rightRow + word]
    )
      return false
  }
  return true
}
