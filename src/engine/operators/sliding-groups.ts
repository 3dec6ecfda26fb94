/**
 * The groups of a HOP window of many panes, kept from slide to slide: what a slide brings is merged in, and what it leaves behind is taken
 * out, so that a slide costs what changes and not the whole window. It follows from the panes, and is part of no checkpoint.
 */
import type { GroupTables } from './group-state.ts'
import type { WindowGroups } from './window-groups.ts'

export interface SlidingGroups {
  /** Of panes [first, end); those before `first` are taken out and of no use afterwards. */
  of(panes: ReadonlyMap<number, GroupTables>, first: number, end: number): GroupTables
  has(pane: number): boolean
  /** Rows that came behind their pane, of which the pane has been told. */
  add(rows: GroupTables): void
  /** Takes a pane out that is about to go. */
  take(pane: number, state: GroupTables): void
  /** The next window is merged anew. */
  clear(): void
}

export function slidingGroups(groups: WindowGroups): SlidingGroups {
  const merged = new Set<number>()
  let state: GroupTables | undefined

  function take(pane: number, of: GroupTables): void {
    if (!merged.delete(pane)) return
    groups.unmerge(state!, of)
  }

  return {
    of(panes, first, end) {
      state ??= groups.make()
      for (const pane of merged) if (pane < first) take(pane, panes.get(pane)!)
      for (let pane = first; pane < end; pane++) {
        const rows = merged.has(pane) ? undefined : panes.get(pane)
        if (rows === undefined) continue
        groups.merge(state, rows)
        merged.add(pane)
      }
      return state
    },
    has: (pane) => merged.has(pane),
    add: (rows) => groups.merge(state!, rows),
    take,
    clear() {
      if (state !== undefined) groups.dispose(state)
      state = undefined
      merged.clear()
    },
  }
}
