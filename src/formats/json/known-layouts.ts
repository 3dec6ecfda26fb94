/**
 * The layouts that a stream of records has been found to have, the most frequent one first.
 *
 * When too many rows match none, a missed record that turned out sound gives a new layout; one that has matched nothing since the
 * last look is dropped. The rows to wait for the next look double with each new layout, so a stream without any regular layout
 * costs next to nothing.
 */
import type { Layout } from './layout.ts'
import type { Projection } from './projection.ts'

export interface KnownLayout {
  readonly layout: Layout
  readonly projection: Projection
  /** Rows that have matched it since the last look. */
  hits: number
}

export interface KnownLayouts {
  /** The first takes all rows, several at once; each further one the rows that are listed as missed. */
  readonly list: readonly KnownLayout[]
  /** `missed` of the last `count` rows matched no layout, but are sound; `sample` is one of them. */
  learn(sample: Uint8Array | undefined, missed: number, count: number): void
  /** Where columns go has changed. */
  emitAgain(): void
}

export interface KnownLayoutsOptions {
  /** Rows before the first layout is worth its code. */
  readonly rowsBefore: number
  predict(sample: Uint8Array): Layout | undefined
  emit(layout: Layout, listed: boolean): Projection
}

const LAYOUTS_MAX = 4
/** Above this share of missed rows a further layout is looked for. */
const MISSES_TOLERATED = 0.01
const ROWS_BETWEEN_MIN = 8192
const ROWS_BETWEEN_MAX = 1 << 26

export function createKnownLayouts(options: KnownLayoutsOptions): KnownLayouts {
  let list: KnownLayout[] = []
  let rowsSeen = 0
  let rowsMissed = 0
  let rowsToWait = options.rowsBefore

  /** Emits only what stands elsewhere than before. */
  const arrange = (layouts: readonly Layout[]): void => {
    const before = list
    list = layouts.map((layout, index) => {
      const listed = index > 0
      const held = before.find((each, at) => each.layout === layout && at > 0 === listed)
      return { layout, projection: held?.projection ?? options.emit(layout, listed), hits: 0 }
    })
  }
  return {
    get list() {
      return list
    },
    learn(sample, missed, count) {
      rowsSeen += count
      rowsMissed += missed
      if (rowsSeen < rowsToWait) return
      const isDrifting = rowsMissed > MISSES_TOLERATED * rowsSeen
      rowsSeen = 0
      rowsMissed = 0
      const found = isDrifting && sample !== undefined ? options.predict(sample) : undefined
      const byHits = [...list].sort((left, right) => right.hits - left.hits)
      const kept = (found === undefined ? byHits : byHits.filter(({ hits }) => hits > 0)).map(
        ({ layout }) => layout,
      )
      if (found !== undefined) {
        rowsToWait = Math.min(Math.max(2 * rowsToWait, ROWS_BETWEEN_MIN), ROWS_BETWEEN_MAX)
        arrange([...kept.slice(0, LAYOUTS_MAX - 1), found])
      } else arrange(kept)
    },
    emitAgain() {
      const layouts = list.map(({ layout }) => layout)
      list = []
      arrange(layouts)
    },
  }
}
