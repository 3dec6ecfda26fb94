/** Windows and groups of the typed API. */
import type { Duration } from './duration.ts'
import { intervalText } from './duration.ts'
import type { Expression } from './expression.ts'

export type Window =
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
  | { readonly kind: 'SESSION'; readonly size: Duration }

/** Windows of one size, one after another. */
export function tumble(size: Duration, offset?: Duration): Window {
  return { kind: 'TUMBLE', size, ...(offset && { offset }) }
}

/** Windows of one size, one every `slide`. */
export function hop(slide: Duration, size: Duration, offset?: Duration): Window {
  return { kind: 'HOP', slide, size, ...(offset && { offset }) }
}

/** Windows that grow by `step` up to `size`, and begin anew. */
export function cumulate(step: Duration, size: Duration, offset?: Duration): Window {
  return { kind: 'CUMULATE', slide: step, size, ...(offset && { offset }) }
}

/** Rows of equal keys that are no more than `gap` apart. */
export function session(gap: Duration): Window {
  return { kind: 'SESSION', size: gap }
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
