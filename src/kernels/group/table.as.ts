/**
 * Keyed entries: a directory over sub-tables of open-addressed slots. Nothing here allocates or traps: what lacks room says so.
 *
 * Layout (one for all tables alike)
 *   0 u32 keys, 4 u32 values, 8 u32 bytes of an entry, 12 u32 offset of the first value
 *   16 a key: u32 kind, u32 offset in the entry; 144 a value: u32 kind
 * Table
 *   0 u32 directory, 4 u32 its mask, 8 u32 its depth, 12 u32 first free entry (next in its cell 8), 16 u32 next unused entry,
 *   20 u32 end of unused entries, 28 u32 live entries, 32 u32 next place in the dirty list, 36 u32 its end, 40 u32 slab or 0,
 *   44 u32 layout, 48 u32 what is needed, 52 u32 how much, 60 u32 entries inserted
 * Directory: u32 sub-table, u32 its slots; indexed by the hash's low bits.
 * Sub-table: 0 u32 used, 4 u32 depth, 8 u32 slots, 12 u32 most that may be used; then u32 entry, u32 hash a slot.
 * A hash's slot is hash * slots >> 32, or the next free one, around.
 * Entry: as in state/keyed-table.ts.
 */
import { BYTES, equalBytes, F64, hashRow, I128, isValid, normalised, rowNulls } from './hash.as'
import { slabFree, slabNeed, slabPut } from './slab.as'

// @ts-nocheck: compiled by asc, not by tsc

export const NEED_ENTRIES: u32 = 1
export const NEED_DIRTY: u32 = 2
export const NEED_SLAB: u32 = 3
export const NEED_SLOTS: u32 = 4

export const LIVE: u32 = 1
export const DIRTY: u32 = 2
export const KNOWN: u32 = 4

export function need(table: usize, kind: u32, amount: u32): usize {
  store<u32>(table, kind, 48)
  store<u32>(table, amount, 52)
  return 0
}

// @ts-ignore: decorator
@inline
function firstSlot(sub: usize, slots: u32, hash: u32): usize {
  return sub + 16 + (((((<u64>hash) * (<u64>slots)) >>> 32) as usize) << 3)
}

/** Makes a found entry live and dirty. False if the dirty list is full. */
export function touch(table: usize, entry: usize): bool {
  const state = <u32>load<u8>(entry, 4)
  if ((state & DIRTY) == 0) {
    const at = <usize>load<u32>(table, 32)
    if (at == <usize>load<u32>(table, 36)) {
      need(table, NEED_DIRTY, 1)
      return false
    }
    store<u32>(at, <u32>entry)
    store<u32>(table, <u32>(at + 4), 32)
  }
  store<u8>(entry, <u8>(state | LIVE | DIRTY), 4)
  if ((state & LIVE) == 0) {
    const layout = <usize>load<u32>(table, 44)
    const values = load<u32>(layout, 12)
    memory.fill(entry + values, 0, load<u32>(layout, 8) - values)
    store<u32>(table, load<u32>(table, 28) + 1, 28)
    store<u32>(table, load<u32>(table, 60) + 1, 60)
  }
  return true
}

/**
 * A fresh entry of `hash` in its slot, live and dirty, cells not yet written; 0 if something has no room. The caller has seen
 * that the key is absent.
 */
export function insert(table: usize, hash: u32): usize {
  const index = hash & load<u32>(table, 4)
  const directory = <usize>load<u32>(table) + (index << 3)
  const sub = <usize>load<u32>(directory)
  const used = load<u32>(sub)
  if (used >= load<u32>(sub, 12)) return need(table, NEED_SLOTS, index)
  const dirtyAt = <usize>load<u32>(table, 32)
  if (dirtyAt == <usize>load<u32>(table, 36)) return need(table, NEED_DIRTY, 1)
  const layout = <usize>load<u32>(table, 44)
  let entry = <usize>load<u32>(table, 12)
  let listed = false
  if (entry != 0) {
    store<u32>(table, load<u32>(entry, 8), 12)
    listed = (load<u8>(entry, 4) & DIRTY) != 0
  } else {
    entry = load<u32>(table, 16)
    const end = entry + load<u32>(layout, 8)
    if (end > <usize>load<u32>(table, 20)) return need(table, NEED_ENTRIES, 1)
    store<u32>(table, <u32>end, 16)
  }
  if (!listed) {
    store<u32>(dirtyAt, <u32>entry)
    store<u32>(table, <u32>(dirtyAt + 4), 32)
  }
  const slots = load<u32>(sub, 8)
  const end = sub + 16 + ((<usize>slots) << 3)
  let slot = firstSlot(sub, slots, hash)
  while (load<u32>(slot) != 0) {
    slot += 8
    if (slot == end) slot = sub + 16
  }
  store<u64>(slot, (<u64>entry) | ((<u64>hash) << 32))
  store<u32>(sub, used + 1)
  store<u32>(entry, hash)
  store<u32>(entry, LIVE | DIRTY, 4)
  const values = load<u32>(layout, 12)
  memory.fill(entry + values, 0, load<u32>(layout, 8) - values)
  store<u32>(table, load<u32>(table, 28) + 1, 28)
  store<u32>(table, load<u32>(table, 60) + 1, 60)
  return entry
}

function equalKey(layout: usize, columns: usize, row: u32, nulls: u32, entry: usize): bool {
  if (<u32>load<u16>(entry, 6) != nulls) return false
  const count = load<u32>(layout)
  for (let key: u32 = 0; key < count; key++) {
    if ((nulls >> key) & 1) continue
    const kind = load<u32>(layout + 16 + (key << 3))
    const held = entry + load<u32>(layout + 16 + (key << 3), 4)
    const cells = <usize>load<u32>(columns + (key << 3))
    const at = cells + ((<usize>row) << 3)
    if (kind == BYTES) {
      const length = load<u32>(at, 4)
      if (length != load<u32>(held, 4)) return false
      if (!equalBytes(load<u32>(at), load<u32>(held), length)) return false
    } else if (kind == F64) {
      if (normalised(load<u64>(at)) != load<u64>(held)) return false
    } else if (kind == I128) {
      const wide = cells + ((<usize>row) << 4)
      if (load<u64>(wide) != load<u64>(held) || load<u64>(wide, 8) != load<u64>(held, 8)) return false
    } else if (load<u64>(at) != load<u64>(held)) return false
  }
  return true
}

/** The entry in the table, live or a tombstone; 0 if there is none. */
export function lookup(table: usize, columns: usize, row: u32, hash: u32, nulls: u32): usize {
  const layout = <usize>load<u32>(table, 44)
  const directory = <usize>load<u32>(table) + ((hash & load<u32>(table, 4)) << 3)
  const sub = <usize>load<u32>(directory)
  const slots = load<u32>(directory, 4)
  const end = sub + 16 + ((<usize>slots) << 3)
  let slot = firstSlot(sub, slots, hash)
  while (true) {
    const entry = <usize>load<u32>(slot)
    if (entry == 0) return 0
    if (load<u32>(slot, 4) == hash && equalKey(layout, columns, row, nulls, entry)) return entry
    slot += 8
    if (slot == end) slot = sub + 16
  }
  return 0
}

/** Copies the row's key into a fresh entry; false (and nothing kept) if the slab has no room. */
function writeKey(table: usize, columns: usize, row: u32, nulls: u32, entry: usize): bool {
  const layout = <usize>load<u32>(table, 44)
  const slab = <usize>load<u32>(table, 40)
  store<u16>(entry, <u16>nulls, 6)
  const count = load<u32>(layout)
  for (let key: u32 = 0; key < count; key++) {
    const kind = load<u32>(layout + 16 + (key << 3))
    const held = entry + load<u32>(layout + 16 + (key << 3), 4)
    const cells = <usize>load<u32>(columns + (key << 3))
    const at = cells + ((<usize>row) << 3)
    if ((nulls >> key) & 1) {
      store<u64>(held, 0)
      if (kind == I128) store<u64>(held, 0, 8)
    } else if (kind == BYTES) {
      const cell = slabPut(slab, load<u32>(at), load<u32>(at, 4))
      if (cell == 0) {
        need(table, NEED_SLAB, slabNeed(load<u32>(at, 4)))
        store<u16>(entry, <u16>(nulls | (0xffff << key)), 6)
        return false
      }
      store<u64>(held, cell)
    } else if (kind == F64) store<u64>(held, normalised(load<u64>(at)))
    else if (kind == I128) {
      const wide = cells + ((<usize>row) << 4)
      store<u64>(held, load<u64>(wide))
      store<u64>(held, load<u64>(wide, 8), 8)
    } else store<u64>(held, load<u64>(at))
  }
  return true
}

/** The live, dirty entry of the row's key, inserted if absent; 0 if something has no room. */
export function upsertRow(table: usize, columns: usize, row: u32): usize {
  const hash = hashRow(load<u32>(table, 44), columns, row)
  const nulls = rowNulls
  const found = lookup(table, columns, row, hash, nulls)
  if (found != 0) {
    if ((load<u8>(found, 4) & 3) == 3) return found
    return touch(table, found) ? found : 0
  }
  const entry = insert(table, hash)
  if (entry == 0) return 0
  if (writeKey(table, columns, row, nulls, entry)) return entry
  // The keys after the one that had no room are marked NULL: freeing skips them.
  release(table, entry)
  store<u32>(table, load<u32>(table, 60) - 1, 60)
  return 0
}

/** Takes an entry out of its slot and gives it and its key bytes back. It stays in the dirty list if it is there. */
export function release(table: usize, entry: usize): void {
  if (load<u8>(entry, 4) & LIVE) store<u32>(table, load<u32>(table, 28) - 1, 28)
  unlink(table, entry)
  const layout = <usize>load<u32>(table, 44)
  const count = load<u32>(layout)
  const nulls = <u32>load<u16>(entry, 6)
  for (let key: u32 = 0; key < count; key++) {
    if ((nulls >> key) & 1 || load<u32>(layout + 16 + (key << 3)) != BYTES) continue
    slabFree(load<u32>(table, 40), load<u64>(entry + load<u32>(layout + 16 + (key << 3), 4)))
  }
  freeValues(table, entry)
  store<u8>(entry, load<u8>(entry, 4) & <u8>DIRTY, 4)
  store<u32>(entry, load<u32>(table, 12), 8)
  store<u32>(table, <u32>entry, 12)
}

function freeValues(table: usize, entry: usize): void {
  const layout = <usize>load<u32>(table, 44)
  const count = load<u32>(layout, 4)
  let at = entry + load<u32>(layout, 12)
  for (let value: u32 = 0; value < count; value++) {
    if (load<u32>(layout + 144 + (value << 2)) == BYTES && load<u64>(at) != 0) {
      slabFree(load<u32>(table, 40), load<u64>(at))
      store<u64>(at, 0)
    }
    at += 8
  }
}

function unlink(table: usize, entry: usize): void {
  const hash = load<u32>(entry)
  const directory = <usize>load<u32>(table) + ((hash & load<u32>(table, 4)) << 3)
  const sub = <usize>load<u32>(directory)
  const slots = load<u32>(directory, 4)
  const start = sub + 16
  const end = start + ((<usize>slots) << 3)
  let hole = firstSlot(sub, slots, hash)
  while (<usize>load<u32>(hole) != entry) {
    hole += 8
    if (hole == end) hole = start
  }
  // Moves back what would no longer be found behind the hole.
  let at = hole
  while (true) {
    at += 8
    if (at == end) at = start
    if (load<u32>(at) == 0) break
    const home = firstSlot(sub, slots, load<u32>(at, 4))
    const stays = hole <= at ? hole < home && home <= at : hole < home || home <= at
    if (stays) continue
    store<u64>(hole, load<u64>(at))
    hole = at
  }
  store<u64>(hole, 0)
  store<u32>(sub, load<u32>(sub) - 1)
}

/** Deletes: what a checkpoint knows stays as a tombstone until the next one. False if the dirty list is full. */
export function removeEntry(table: usize, entry: usize): bool {
  const state = <u32>load<u8>(entry, 4)
  if ((state & KNOWN) == 0) {
    release(table, entry)
    return true
  }
  if (!touch(table, entry)) return false
  freeValues(table, entry)
  store<u8>(entry, <u8>(KNOWN | DIRTY), 4)
  store<u32>(table, load<u32>(table, 28) - 1, 28)
  return true
}

// ---- room

export function initialiseSub(sub: usize, slots: u32, depth: u32): void {
  memory.fill(sub, 0, 16 + ((<usize>slots) << 3))
  store<u32>(sub, depth, 4)
  store<u32>(sub, slots, 8)
  store<u32>(sub, slots - ((slots * 3) >>> 3) - 1, 12)
}

function fill(target: usize, targetSlots: u32, slot: usize): void {
  const end = target + 16 + ((<usize>targetSlots) << 3)
  let at = firstSlot(target, targetSlots, load<u32>(slot, 4))
  while (load<u32>(at) != 0) {
    at += 8
    if (at == end) at = target + 16
  }
  store<u64>(at, load<u64>(slot))
  store<u32>(target, load<u32>(target) + 1)
}

/** Moves the slots of directory entry `index` into one cleared sub-table of `slots` slots. */
export function growSub(table: usize, index: u32, target: usize, slots: u32): void {
  const directory = <usize>load<u32>(table)
  const sub = <usize>load<u32>(directory + (index << 3))
  const depth = load<u32>(sub, 4)
  initialiseSub(target, slots, depth)
  const end = sub + 16 + ((<usize>load<u32>(sub, 8)) << 3)
  for (let slot = sub + 16; slot < end; slot += 8) if (load<u32>(slot) != 0) fill(target, slots, slot)
  point(table, index, depth, target, slots)
}

/** Splits them by the next bit of the hash into two cleared sub-tables. The directory must be deeper than the sub-table. */
export function splitSub(table: usize, index: u32, low: usize, high: usize, slots: u32): void {
  const directory = <usize>load<u32>(table)
  const sub = <usize>load<u32>(directory + (index << 3))
  const depth = load<u32>(sub, 4)
  initialiseSub(low, slots, depth + 1)
  initialiseSub(high, slots, depth + 1)
  const end = sub + 16 + ((<usize>load<u32>(sub, 8)) << 3)
  for (let slot = sub + 16; slot < end; slot += 8) {
    if (load<u32>(slot) == 0) continue
    fill((load<u32>(slot, 4) >> depth) & 1 ? high : low, slots, slot)
  }
  point(table, index & ~(<u32>1 << depth), depth + 1, low, slots)
  point(table, index | (<u32>1 << depth), depth + 1, high, slots)
}

/** Every directory entry that shares `index`'s low `depth` bits now leads to `sub`. */
function point(table: usize, index: u32, depth: u32, sub: usize, slots: u32): void {
  const directory = <usize>load<u32>(table)
  const count = load<u32>(table, 4) + 1
  const step: u32 = 1 << depth
  for (let at = index & (step - 1); at < count; at += step) {
    store<u32>(directory + (at << 3), <u32>sub)
    store<u32>(directory + (at << 3), slots, 4)
  }
}

/** Doubles the directory into `target`. */
export function growDirectory(table: usize, target: usize): void {
  const directory = <usize>load<u32>(table)
  const bytes = ((<usize>load<u32>(table, 4)) + 1) << 3
  memory.copy(target, directory, bytes)
  memory.copy(target + bytes, directory, bytes)
  store<u32>(table, <u32>target)
  store<u32>(table, load<u32>(table, 4) * 2 + 1, 4)
  store<u32>(table, load<u32>(table, 8) + 1, 8)
}
