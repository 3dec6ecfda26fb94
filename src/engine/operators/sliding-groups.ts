/**
 * The groups of a HOP window of many panes, kept from slide to slide: what a slide brings is merged in, and what it leaves behind is taken
 * out, so that a slide costs what changes and not the whole window. It follows from the panes, and is part of no checkpoint.
 */
import type { GroupTables } from './group-state.ts'
import type { TopGroups } from './top-groups.ts'
import type { WindowGroups } from './window-groups.ts'

export interface SlidingGroups {
  /** Of panes [first, end); those before `first` are taken out and of no use afterwards. `first` never falls. */
  of(panes: ReadonlyMap<number, GroupTables>, first: number, end: number): GroupTables
  /** True of panes of which all rows there are have been merged: those that come behind must be added. */
  covers(pane: number): boolean
  /** Rows that came behind, of a pane that is covered. */
  add(rows: GroupTables): void
  /** Takes a pane out that is about to go. */
  take(pane: number, state: GroupTables): void
  /** The next window is merged anew. */
  clear(): void
}

/** `top` is told what changes. */
export function slidingGroups(groups: WindowGroups, top: TopGroups | undefined): SlidingGroups {
  // Panes [from, to) are merged. Panes before 1970 have numbers below 0.
  let from = -Infinity
  let to = -Infinity
  let state: GroupTables | undefined

  function merge(into: GroupTables, rows: GroupTables): void {
    groups.merge(into, rows, top && ((entries, count) => top.changed(into, entries, count)))
  }

  function unmerge(of: GroupTables): void {
    groups.unmerge(state!, of, top)
  }

  return {
    of(panes, first, end) {
      state ??= groups.make()
      for (; from < Math.min(first, to); from++) {
        const rows = panes.get(from)
        if (rows !== undefined) unmerge(rows)
      }
      from = first
      for (to = Math.max(first, to); to < end; to++) {
        const rows = panes.get(to)
        if (rows !== undefined) merge(state, rows)
      }
      return state
    },
    covers: (pane) => pane >= from && pane < to,
    add: (rows) => merge(state!, rows),
    take(pane, of) {
      if (pane >= from && pane < to) unmerge(of)
    },
    clear() {
      if (state !== undefined) groups.dispose(state)
      state = undefined
      from = -Infinity
      to = -Infinity
      top?.clear()
    },
  }
}
