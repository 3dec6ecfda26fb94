/**
 * Files in memory that fail the way disks do, from a seed.
 *
 *   power cut    each write since the file's last sync is kept, dropped or torn, each by its own draw; of each directory's
 *                entries since its last sync a prefix is kept, in order; a directory whose own entry is lost takes all below it
 *   kill         the process is gone, the system is not: everything written is kept
 *   failures     the nth call of a kind fails with a code; a sync that fails gives up what it should have written
 *
 * After either crash every handle from before is dead.
 */
import { basename, dirname, resolve } from 'node:path'
import type { FileHandle, FileStat, Files } from '../ports/files.ts'
import type { SimulatedRandom } from './random.ts'

export type FileCall =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'link'
  | 'remove'
  | 'list'
  | 'make-directory'
  | 'sync-directory'

export interface FailureRule {
  readonly call: FileCall
  readonly code: 'ENOSPC' | 'EIO' | 'EROFS' | 'EMFILE' | 'EACCES'
  /** The nth call from now on, counted from 1. */
  readonly nth: number
  /** Goes on failing from then on. */
  readonly forever?: boolean
  /** Only calls on paths that contain it. */
  readonly path?: string
  /** A write that fails has written this many bytes before. */
  readonly bytesWritten?: number
}

export interface SimulatedFiles extends Files {
  fail(rule: FailureRule): void
  heal(): void
  /** Awaited by every sync: a slow disk. */
  slowSync: (() => Promise<void>) | undefined
  crash(kind: 'kill' | 'power'): void
  /** For assertions: the bytes of a file as they are now. */
  contents(path: string): Uint8Array
  /** Damages a byte behind everybody's back. */
  flip(path: string, at: number): void
}

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly bytes: number }

interface Inode {
  readonly isDirectory: boolean
  bytes: Uint8Array
  modifiedMs: number
  /** As on the disk. */
  durable: Uint8Array
  unsynced: Change[]
}

/** One change of a directory, undivided: names that go and names that come. */
interface EntryChange {
  readonly removed: readonly string[]
  readonly added: readonly (readonly [string, Inode])[]
}

const ROOT = '/'

/** The disk as it is, and as it would be found after the power went. */
interface Disk {
  readonly random: SimulatedRandom
  readonly nowMs: () => number
  readonly live: Map<string, Inode>
  durable: Map<string, Inode>
  readonly unsyncedEntries: Map<string, EntryChange[]>
  rules: { readonly rule: FailureRule; left: number }[]
  /** Crashes so far: handles of an earlier one are dead. */
  generation: number
  slowSync: SimulatedFiles['slowSync']
}

export function simulatedFiles(random: SimulatedRandom, nowMs: () => number): SimulatedFiles {
  const live = new Map<string, Inode>([[ROOT, inode(true, 0)]])
  const disk: Disk = {
    random,
    nowMs,
    live,
    durable: new Map(live),
    unsyncedEntries: new Map(),
    rules: [],
    generation: 0,
    slowSync: undefined,
  }
  return {
    get slowSync() {
      return disk.slowSync
    },
    set slowSync(slow) {
      disk.slowSync = slow
    },
    open: (path, mode) => openFile(disk, resolve(path), mode),
    exists: (path) => live.has(resolve(path)),
    list: (path) => list(disk, resolve(path)),
    makeDirectory: (path) => makeDirectory(disk, resolve(path)),
    rename: (from, to) => rename(disk, resolve(from), resolve(to)),
    link: (from, to) => link(disk, resolve(from), resolve(to)),
    remove: (path) => remove(disk, resolve(path)),
    stat(path): FileStat | undefined {
      const node = live.get(resolve(path))
      if (node === undefined) return undefined
      const { modifiedMs, isDirectory } = node
      return { bytes: node.bytes.length, modifiedMs, isDirectory }
    },
    syncDirectory: (path) => syncDirectory(disk, resolve(path)),
    fail(rule) {
      disk.rules.push({ rule, left: rule.nth })
    },
    heal() {
      disk.rules = []
    },
    crash: (kind) => crash(disk, kind),
    contents: (path) => find(disk, resolve(path), 'read').bytes.slice(),
    flip(path, at) {
      const node = find(disk, resolve(path), 'flip')
      node.bytes[at]! ^= 0xff
      node.durable = node.bytes.slice()
    },
  }
}

/** Throws if a rule says so; returns the rule for writes, which fail half-way. */
function attempt(disk: Disk, call: FileCall, path: string): FailureRule | undefined {
  for (const entry of disk.rules) {
    if (entry.rule.call !== call || !path.includes(entry.rule.path ?? '')) continue
    if (--entry.left > 0) continue
    if (entry.left < 0 && entry.rule.forever !== true) continue
    if (call === 'write') return entry.rule
    throw failure(entry.rule.code, call, path)
  }
  return undefined
}

function change({ live, unsyncedEntries }: Disk, directory: string, entry: EntryChange): void {
  for (const path of entry.removed) live.delete(path)
  for (const [path, node] of entry.added) live.set(path, node)
  const known = unsyncedEntries.get(directory)
  if (known === undefined) unsyncedEntries.set(directory, [entry])
  else known.push(entry)
}

function find({ live }: Disk, path: string, call: string): Inode {
  const node = live.get(path)
  if (node === undefined) throw failure('ENOENT', call, path)
  return node
}

function openFile(disk: Disk, path: string, mode: 'read' | 'write' | 'create'): FileHandle {
  attempt(disk, 'open', path)
  const known = disk.live.get(path)
  if (mode === 'create' && known !== undefined) throw failure('EEXIST', 'open', path)
  if (mode === 'read' && known === undefined) throw failure('ENOENT', 'open', path)
  if (known?.isDirectory) throw failure('EISDIR', 'open', path)
  if (known !== undefined) return handle(disk, known, path)
  find(disk, dirname(path), 'open')
  const made = inode(false, disk.nowMs())
  change(disk, dirname(path), { removed: [], added: [[path, made]] })
  return handle(disk, made, path)
}

function list(disk: Disk, path: string): string[] {
  attempt(disk, 'list', path)
  find(disk, path, 'scandir')
  return [...disk.live.keys()]
    .filter((each) => each !== ROOT && dirname(each) === path)
    .map((each) => basename(each))
    .sort()
}

function makeDirectory(disk: Disk, path: string): void {
  attempt(disk, 'make-directory', path)
  if (disk.live.has(path)) return
  makeDirectory(disk, dirname(path))
  change(disk, dirname(path), { removed: [], added: [[path, inode(true, disk.nowMs())]] })
}

function rename(disk: Disk, from: string, to: string): void {
  attempt(disk, 'rename', to)
  const node = find(disk, from, 'rename')
  find(disk, dirname(to), 'rename')
  const moved = [...disk.live].filter(([path]) => path === from || path.startsWith(`${from}/`))
  const added = moved.map(([path, each]) => [to + path.slice(from.length), each] as const)
  const removed = moved.map(([path]) => path)
  if (dirname(from) === dirname(to)) {
    change(disk, dirname(to), { removed, added })
    return
  }
  change(disk, dirname(to), { removed: [], added: node.isDirectory ? added : [[to, node]] })
  change(disk, dirname(from), { removed, added: [] })
}

function link(disk: Disk, from: string, to: string): void {
  attempt(disk, 'link', to)
  const node = find(disk, from, 'link')
  if (disk.live.has(to)) throw failure('EEXIST', 'link', to)
  change(disk, dirname(to), { removed: [], added: [[to, node]] })
}

function remove(disk: Disk, path: string): void {
  attempt(disk, 'remove', path)
  find(disk, path, 'unlink')
  const removed = [...disk.live.keys()].filter(
    (each) => each === path || each.startsWith(`${path}/`),
  )
  change(disk, dirname(path), { removed, added: [] })
}

async function syncDirectory(disk: Disk, path: string): Promise<void> {
  attempt(disk, 'sync-directory', path)
  find(disk, path, 'fsync')
  const pending = disk.unsyncedEntries.get(path) ?? []
  const count = pending.length
  const before = disk.generation
  await disk.slowSync?.()
  if (before !== disk.generation) throw failure('EBADF', 'fsync', path)
  for (const entry of pending.splice(0, count)) applyEntry(disk.durable, entry)
}

function crash(disk: Disk, kind: 'kill' | 'power'): void {
  disk.generation++
  disk.rules = []
  disk.slowSync = undefined
  if (kind === 'power') cutPower(disk)
  for (const node of disk.live.values()) {
    node.durable = node.bytes.slice()
    node.unsynced = []
  }
  disk.durable = new Map(disk.live)
  disk.unsyncedEntries.clear()
}

function cutPower({ live, durable, unsyncedEntries, random }: Disk): void {
  for (const pending of unsyncedEntries.values())
    for (const entry of pending.slice(0, random.below(pending.length + 1)))
      applyEntry(durable, entry)
  live.clear()
  for (const [path, node] of durable) if (reachable(path, durable)) live.set(path, node)
  for (const node of new Set(live.values())) {
    node.bytes = node.durable.slice()
    for (const each of node.unsynced) node.bytes = applied(node.bytes, survived(each, random))
  }
}

function handle(disk: Disk, node: Inode, path: string): FileHandle {
  const born = disk.generation
  let open = true
  const alive = (call: FileCall) => {
    if (!open || born !== disk.generation) throw failure('EBADF', call, path)
  }
  const record = (made: Change) => {
    node.bytes = applied(node.bytes, made)
    node.unsynced.push(made)
    node.modifiedMs = disk.nowMs()
  }
  return {
    read(into, position) {
      alive('read')
      attempt(disk, 'read', path)
      const found = node.bytes.subarray(position, position + into.length)
      into.set(found)
      return found.length
    },
    write(bytes, position) {
      alive('write')
      const rule = attempt(disk, 'write', path)
      const written = rule === undefined ? bytes : bytes.subarray(0, rule.bytesWritten ?? 0)
      record({ kind: 'write', at: position, bytes: written.slice() })
      if (rule !== undefined) throw failure(rule.code, 'write', path)
    },
    truncate(bytes) {
      alive('truncate')
      attempt(disk, 'truncate', path)
      record({ kind: 'truncate', bytes })
    },
    bytes() {
      alive('read')
      return node.bytes.length
    },
    async sync() {
      alive('sync')
      try {
        attempt(disk, 'sync', path)
      } catch (error) {
        // As Linux does: the pages count as clean, read well, and are gone when the power is.
        node.unsynced = []
        throw error
      }
      const count = node.unsynced.length
      await disk.slowSync?.()
      alive('sync')
      for (const made of node.unsynced.splice(0, count)) node.durable = applied(node.durable, made)
    },
    close() {
      open = false
    },
  }
}

function inode(isDirectory: boolean, modifiedMs: number): Inode {
  const none = new Uint8Array(0)
  return { isDirectory, bytes: none, modifiedMs, durable: none, unsynced: [] }
}

function applyEntry(names: Map<string, Inode>, entry: EntryChange): void {
  for (const path of entry.removed) names.delete(path)
  for (const [path, node] of entry.added) names.set(path, node)
}

function reachable(path: string, names: ReadonlyMap<string, Inode>): boolean {
  return path === ROOT || (names.has(dirname(path)) && reachable(dirname(path), names))
}

function applied(bytes: Uint8Array, change: Change | undefined): Uint8Array {
  if (change === undefined) return bytes
  if (change.kind === 'truncate') return resized(bytes, change.bytes)
  const end = change.at + change.bytes.length
  const target = end > bytes.length ? resized(bytes, end) : bytes
  target.set(change.bytes, change.at)
  return target
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.length) return bytes.slice(0, length)
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}

/** What the disk has of a change after the power went: all, nothing, or the beginning of a write. */
function survived(change: Change, random: SimulatedRandom): Change | undefined {
  const draw = random.next()
  if (draw < 0.4) return change
  if (draw < 0.7) return undefined
  if (change.kind === 'truncate') return change
  return { ...change, bytes: change.bytes.subarray(0, random.below(change.bytes.length + 1)) }
}

function failure(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${call} '${path}'`), { code, path })
}
