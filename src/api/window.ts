/** Windows and groups of the typed API. */
import type { Duration } from './duration.ts'
import { durationMs, intervalText } from './duration.ts'
import type { Expression } from './expression.ts'

/** When a window is told besides once, as it fires. */
export interface EmitOptions {
  /** Rows that come so much behind the window's end correct its result; later ones are late. None unless told. */
  readonly allowLateness?: Duration
  /** How long corrections are gathered, by the clock; each is told at once unless told. */
  readonly lateEvery?: Duration
  /** How often the window is told while it is open, by the clock; '0s': at each row. */
  readonly earlyEvery?: Duration
}

interface Emitting {
  readonly emit?: EmitOptions
}

export type Window = GridWindow | { readonly kind: 'SESSION'; readonly size: Duration }

type GridWindow = Emitting & GridBounds

type GridBounds =
  | { readonly kind: 'TUMBLE'; readonly size: Duration; readonly offset?: Duration }
  | {
      readonly kind: 'HOP'
      readonly slide: Duration
      readonly size: Duration
      readonly offset?: Duration
    }
  | {
      readonly kind: 'CUMULATE'
      readonly slide: Duration
      readonly size: Duration
      readonly offset?: Duration
    }

/** Windows of one size, one after another. */
export function tumble(size: Duration, offset?: Duration): GridWindow {
  return { kind: 'TUMBLE', size, ...(offset && { offset }) }
}

/** Windows of one size, one every `slide`. */
export function hop(slide: Duration, size: Duration, offset?: Duration): GridWindow {
  return { kind: 'HOP', slide, size, ...(offset && { offset }) }
}

/** Windows that grow by `step` up to `size`, and begin anew. */
export function cumulate(step: Duration, size: Duration, offset?: Duration): GridWindow {
  return { kind: 'CUMULATE', slide: step, size, ...(offset && { offset }) }
}

/** Rows of equal keys that are no more than `gap` apart. */
export function session(gap: Duration): Window {
  return { kind: 'SESSION', size: gap }
}

/** The window, told early, or corrected by late rows: a changelog. Sessions are told once. */
export function emit(window: GridWindow, options: EmitOptions): Window {
  return { ...window, emit: options }
}

/** The hint behind SELECT, with a space behind it; '' where there is none. */
export function emitText(window: Window): string {
  if (!('emit' in window) || window.emit === undefined) return ''
  const { allowLateness, lateEvery, earlyEvery } = window.emit
  const options = [
    ['allow-lateness', allowLateness],
    ['late-fire.delay', lateEvery],
    ['early-fire.delay', earlyEvery],
  ] as const
  const texts = options.flatMap(([name, value]) =>
    value === undefined ? [] : [`'${name}' = '${durationMs(value)} ms'`],
  )
  return `/*+ EMIT(${texts.join(', ')}) */ `
}

/** What a group has besides its keys. */
export interface WindowBounds {
  readonly windowStart: Expression<string, 'timestamp', 'group'>
  readonly windowEnd: Expression<string, 'timestamp', 'group'>
}

/** TABLE(TUMBLE(input, DESCRIPTOR(time), ...)); `keys` are a session's. */
export function windowText(
  window: Window,
  input: string,
  time: string,
  keys: readonly string[],
): string {
  const partition =
    window.kind === 'SESSION' && keys.length > 0 ? ` PARTITION BY ${keys.join(', ')}` : ''
  const slide = 'slide' in window ? [intervalText(window.slide)] : []
  const offset =
    'offset' in window && window.offset !== undefined ? [intervalText(window.offset)] : []
  const args = [`DESCRIPTOR(${time})`, ...slide, intervalText(window.size), ...offset]
  return `TABLE(${window.kind}(${input}${partition}, ${args.join(', ')}))`
}
