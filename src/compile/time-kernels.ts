/** Fields and floors of timestamps that are whole multiples of µs, where no time zone and no calendar matters. */
import type { DataType } from '../data/types.ts'
import { arithmeticKernel } from '../kernels/arithmetic.ts'
import { allocateCells, type Compiled, filled, marksOf } from './vectors.ts'

const UNIT_US: Readonly<Record<string, bigint>> = {
  MICROSECOND: 1n,
  MILLISECOND: 1000n,
  SECOND: 1_000_000n,
  MINUTE: 60_000_000n,
  HOUR: 3_600_000_000n,
  DAY: 86_400_000_000n,
}
/** What a field counts within. */
const WITHIN_US: Readonly<Record<string, bigint>> = {
  MICROSECOND: UNIT_US.SECOND!,
  MILLISECOND: UNIT_US.SECOND!,
  SECOND: UNIT_US.MINUTE!,
  MINUTE: UNIT_US.HOUR!,
  HOUR: UNIT_US.DAY!,
}

/** Functions that give the moment of the batch. */
export const nowFunctions: readonly string[] = [
  'CURRENT_TIMESTAMP',
  'NOW',
  'CURRENT_ROW_TIMESTAMP',
  'PROCTIME',
  'CURRENT_WATERMARK',
]

/** Now; EXTRACT, HOUR, MINUTE, SECOND and FLOOR of a TIMESTAMP or TIME; undefined for all else. */
export function compileTimeKernel(
  name: string,
  args: readonly Compiled[],
  type: DataType,
): Compiled | undefined {
  if (name === 'CURRENT_WATERMARK') return watermark(type)
  if (nowFunctions.includes(name)) return now(type)
  if (name === 'EXTRACT') return fieldOf(String(args[0]!.constant), args[1]!, type)
  if (name === 'HOUR' || name === 'MINUTE' || name === 'SECOND')
    return fieldOf(name, args[0]!, type)
  if (name === 'FLOOR' && args.length === 2)
    return floorOf(String(args[1]!.constant), args[0]!, type)
  return undefined
}

/** One moment a batch, in whole milliseconds. */
function now(type: DataType): Compiled {
  return {
    type,
    mark: 'kernel',
    jsBecause: [],
    evaluate(frame) {
      const micros = frame.context.nowUs()
      return filled(frame, type, micros - (micros % 1000n))
    },
  }
}

function watermark(type: DataType): Compiled {
  return {
    type,
    mark: 'kernel',
    jsBecause: [],
    evaluate: (frame) => filled(frame, type, frame.context.watermarkUs?.() ?? null),
  }
}

function isLocal({ type }: Compiled): boolean {
  return type.kind === 'timestamp' || type.kind === 'time'
}

function fieldOf(field: string, value: Compiled, type: DataType): Compiled | undefined {
  const [within, unit] = [WITHIN_US[field], UNIT_US[field]]
  if (!isLocal(value) || within === undefined || unit === undefined) return undefined
  return {
    type,
    ...marksOf([value]),
    evaluate(frame) {
      const { cells, validity } = value.evaluate(frame)
      const out = allocateCells(frame, type)
      const { selection, count } = frame
      arithmeticKernel(frame.memory).partOf(cells, within, unit, selection, count, out)
      return { type, cells: out, validity }
    },
  }
}

function floorOf(unit: string, value: Compiled, type: DataType): Compiled | undefined {
  const size = UNIT_US[unit]
  if (!isLocal(value) || size === undefined) return undefined
  return {
    type,
    ...marksOf([value]),
    evaluate(frame) {
      const { cells, validity } = value.evaluate(frame)
      const out = allocateCells(frame, type)
      const { selection, count } = frame
      arithmeticKernel(frame.memory).floorTo(cells, size, 0n, selection, count, out)
      return { type, cells: out, validity }
    },
  }
}
