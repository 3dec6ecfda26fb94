/**
 * Windows that rows bear and that have not fired, by start and end, each with what an operator holds for it.
 *
 * A window is over when the watermark (or the clock) reaches its end less 1 ms: what it holds is told and dropped whole, and rows that
 * come behind are late.
 */
import type { Batch } from '../../data/batch.ts'
import type { Schema } from '../../data/types.ts'
import { jsonText, rowReader } from '../../data/values.ts'
import type { WindowColumns } from '../../plan/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { WindowProgress } from '../operator.ts'
import { forEachWindow } from './windows-of-rows.ts'

/** A window fires when time reaches its end less this. */
const FIRE_EARLY_US = 1000n

/** Rows that bear a window. */
export interface WindowedInput {
  readonly schema: Schema
  readonly window: WindowColumns
  /** The column of their event time; absent: they have none but their window's. */
  readonly time?: number
}

export interface OpenWindow<Held> {
  readonly startUs: bigint
  readonly endUs: bigint
  readonly held: Held
}

export interface OpenWindows<Held> {
  /** Hands `add` the batch's rows window by window, and says where those go that are late. `add` returns how many count. */
  deal(batch: Batch, input: WindowedInput, add: (held: Held, rows: Batch) => number): void
  /** Tells the windows that are over at `timeUs`, by end, then by start, and drops them. */
  advance(timeUs: bigint, fire: (window: OpenWindow<Held>) => void): void
  /** By `START END` in µs. */
  named(): IterableIterator<readonly [string, Held]>
  /** What is held for the window of that name, which is opened if it is not: with what `make` gives, if that is told. */
  restored(start: string, end: string, make?: () => Held): Held
  progress(): WindowProgress
  dispose(): void
}

/** `dispose` gives back what `make` made. */
export function openWindows<Held>(
  context: OperatorContext,
  restoredTimeUs: bigint,
  make: () => Held,
  dispose: (held: Held) => void,
): OpenWindows<Held> {
  const open = new Map<string, OpenWindow<Held>>()
  let timeUs = restoredTimeUs
  let counted = 0
  let late = 0
  const isOver = (endUs: bigint): boolean => endUs - FIRE_EARLY_US <= timeUs
  const inOrder = (): readonly (readonly [string, OpenWindow<Held>])[] =>
    [...open].sort(
      ([, left], [, right]) =>
        Number(left.endUs - right.endUs) || Number(left.startUs - right.startUs),
    )
  const heldBy = (startUs: bigint, endUs: bigint, opened = make): Held => {
    const name = `${startUs} ${endUs}`
    const known = open.get(name)
    if (known !== undefined) return known.held
    const held = opened()
    open.set(name, { startUs, endUs, held })
    return held
  }
  return {
    deal(batch, input, add) {
      forEachWindow(context.memory, batch, input.window, (startUs, endUs, rows) => {
        if (isOver(endUs)) {
          tellLate(context, input, { startUs, endUs, watermarkUs: timeUs }, rows)
          late += rows.count
        } else counted += add(heldBy(startUs, endUs), rows)
      })
    },
    advance(nowUs, fire) {
      timeUs = nowUs
      for (const [name, window] of inOrder()) {
        if (!isOver(window.endUs)) break
        fire(window)
        dispose(window.held)
        open.delete(name)
      }
    },
    *named() {
      for (const [name, { held }] of open) yield [name, held]
    },
    restored: (start, end, opened) => heldBy(BigInt(start), BigInt(end), opened),
    progress() {
      const first = inOrder()[0]?.[1]
      const next = first === undefined ? {} : { nextEndUs: first.endUs }
      return { openWindows: open.size, ...next, counted, late }
    },
    dispose() {
      for (const { held } of open.values()) dispose(held)
      open.clear()
    },
  }
}

function tellLate(
  { memory, side, node }: OperatorContext,
  { schema, time }: WindowedInput,
  window: { readonly startUs: bigint; readonly endUs: bigint; readonly watermarkUs: bigint },
  rows: Batch,
): void {
  const { startUs, endUs, watermarkUs } = window
  const readRow = rowReader(schema)
  for (let at = 0; at < rows.count; at++) {
    const row = memory.u32[rows.selection / 4 + at]!
    const timeUs =
      time === undefined ? endUs - FIRE_EARLY_US : memory.i64[rows.columns[time]!.cells / 8 + row]!
    side.late({
      node,
      windowStartUs: startUs,
      windowEndUs: endUs,
      timeUs,
      watermarkUs,
      row: jsonText(readRow(memory, rows.columns, row)),
    })
  }
}
