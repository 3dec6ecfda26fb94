/** Functions of texts computed on their bytes: nothing is decoded, and what is cut out of a text stays where it is. */
import type { Vector } from '../data/batch.ts'
import type { Expression } from '../plan/expressions.ts'
import type { Frame } from './compiled.ts'
import { forEachRow } from './frame-rows.ts'
import { bitmapBytes, type Compiled } from './vectors.ts'

type Call = Extract<Expression, { kind: 'call' }>

/** undefined where the call needs the text itself: then it is computed on decoded values. */
export function byteCall(call: Call, args: readonly Compiled[]): Compiled | undefined {
  if (call.args[0]?.type.kind !== 'varchar') return undefined
  if (call.function === 'CHAR_LENGTH') return onBytes(call, args, lengths)
  if (call.function !== 'SPLIT_INDEX') return undefined
  const [, separator, index] = args.map(({ constant }) => constant)
  if (typeof separator !== 'string' || separator.length !== 1) return undefined
  if (typeof index !== 'bigint' || index < 0n) return undefined
  const by = separator.charCodeAt(0)
  if (by === 0 || by >= 0x80) return undefined
  return onBytes(call, args, (frame, texts) => parts(frame, call, texts, by, Number(index)))
}

function onBytes(
  call: Call,
  args: readonly Compiled[],
  compute: (frame: Frame, texts: Vector) => Vector,
): Compiled {
  return {
    type: call.type,
    mark: 'js',
    jsBecause: [...new Set([call.function, ...args.flatMap((arg) => arg.jsBecause)])],
    evaluate: (frame) => ({ ...compute(frame, args[0]!.evaluate(frame)), type: call.type }),
  }
}

/** Code points: bytes that do not go on with one. */
function lengths({ memory, ...frame }: Frame, texts: Vector): Vector {
  const cells = memory.arena.allocateCleared(8 * frame.rowCount)
  const { u8, u32, i64 } = memory
  forEachRow({ memory, ...frame }, (row) => {
    if (!isValid(u8, texts, row)) return
    const start = u32[texts.cells / 4 + 2 * row]!
    const end = start + u32[texts.cells / 4 + 2 * row + 1]!
    let points = 0
    for (let at = start; at < end; at++) points += (u8[at]! & 0xc0) === 0x80 ? 0 : 1
    i64[cells / 8 + row] = BigInt(points)
  })
  return { ...texts, cells }
}

/** The part numbered `index`, from 0; NULL where there is none. */
function parts(frame: Frame, call: Call, texts: Vector, by: number, index: number): Vector {
  const { memory, rowCount } = frame
  const cells = memory.arena.allocateCleared(8 * rowCount)
  const validity = memory.arena.allocateCleared(bitmapBytes(rowCount))
  const { u8, u32 } = memory
  forEachRow(frame, (row) => {
    if (!isValid(u8, texts, row)) return
    let start = u32[texts.cells / 4 + 2 * row]!
    const end = start + u32[texts.cells / 4 + 2 * row + 1]!
    if (start === end) return
    for (let left = index; left > 0; left--) {
      while (start < end && u8[start] !== by) start++
      if (start === end) return
      start++
    }
    let stop = start
    while (stop < end && u8[stop] !== by) stop++
    u32[cells / 4 + 2 * row] = start
    u32[cells / 4 + 2 * row + 1] = stop - start
    u8[validity + (row >> 3)]! |= 1 << (row & 7)
  })
  return { type: call.type, cells, validity }
}

function isValid(u8: Uint8Array, { validity }: Vector, row: number): boolean {
  return validity === 0 || ((u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 1
}
