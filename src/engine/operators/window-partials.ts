/**
 * The rows of windows added up where they were read: a table of groups for each pane, handed over as records when a window that the
 * pane belongs to may fire elsewhere, or when a checkpoint asks for all.
 *
 * It pays where many rows come to one group. Otherwise a row costs less as a row: so what was handed over is counted, and after
 * panes of few rows a group the next rows go as they are.
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type TimeKernel, timeKernel } from '../../kernels/time.ts'
import type { EntrySink, StateReader, TableSource } from '../../state/state-stream.ts'
import { firedThrough, type Grid } from '../../time/windows.ts'
import type { Partials } from '../operator.ts'
import type { GroupTables } from './group-state.ts'
import { forEachPane } from './panes.ts'
import type { WindowGroups } from './window-groups.ts'

/** Fewer rows a group than so many, and rows travel as rows. */
const ROWS_A_GROUP_MIN = 8
/** After so many, adding up is tried again. */
const ROWS_UNTIL_TRIED = 1 << 21
const TABLE = 'partial'

export interface WindowPartials extends Partials {
  /** Those that hold rows. */
  panes(): Iterable<number>
  dispose(): void
}

/** `take` is given what others' and its own rows have come to in a pane: it is the taker's then; `counted` is told the rows of each pane that are added. */
export function windowPartials(
  memory: LinearMemory,
  groups: WindowGroups,
  grid: Grid,
  time: number,
  take: (pane: number, tables: GroupTables) => void,
  counted: (pane: number, rows: number) => void,
): WindowPartials {
  return new PanesAddedUp(memory, groups, grid, time, take, counted)
}

class PanesAddedUp implements WindowPartials {
  readonly #memory: LinearMemory
  readonly #kernel: TimeKernel
  readonly #groups: WindowGroups
  readonly #grid: Grid
  readonly #time: number
  readonly #take: (pane: number, tables: GroupTables) => void
  readonly #counted: (pane: number, rows: number) => void
  readonly #panes = new Map<number, { readonly tables: GroupTables; rows: number }>()
  #schema = ''
  #rowsToSkip = 0

  constructor(
    memory: LinearMemory,
    groups: WindowGroups,
    grid: Grid,
    time: number,
    take: (pane: number, tables: GroupTables) => void,
    counted: (pane: number, rows: number) => void,
  ) {
    this.#memory = memory
    this.#kernel = timeKernel(memory)
    this.#groups = groups
    this.#grid = grid
    this.#time = time
    this.#take = take
    this.#counted = counted
  }

  pays(rows: number): boolean {
    if (this.#rowsToSkip === 0) return true
    this.#rowsToSkip = Math.max(0, this.#rowsToSkip - rows)
    return false
  }

  add(batch: Batch): void {
    const { keys, good } = this.#groups.keysOf(batch)
    forEachPane(this.#memory, this.#kernel, good, this.#time, this.#grid, (pane, rows) => {
      let added = this.#panes.get(pane)
      if (added === undefined) {
        added = { tables: this.#groups.make(), rows: 0 }
        this.#panes.set(pane, added)
      }
      added.rows += rows.count
      this.#counted(pane, rows.count)
      this.#groups.add(added.tables, rows, keys)
    })
  }

  flush(watermarkUs: bigint, hand: (pane: number, records: Uint8Array) => void): void {
    const through = firedThrough(this.#grid, watermarkUs)
    for (const [pane, { tables, rows }] of this.#panes) {
      if (pane >= through) continue
      if (rows < ROWS_A_GROUP_MIN * tables.groups.size) this.#rowsToSkip = ROWS_UNTIL_TRIED
      this.#write(tables, (records) => hand(pane, records))
      this.#groups.dispose(tables)
      this.#panes.delete(pane)
    }
  }

  take(pane: number, records: Uint8Array, groups: Parameters<Partials['take']>[2]): void {
    const source: TableSource = {
      schema: this.#schemaText(),
      continues: false,
      ...groups,
      read: (take) => take(records),
    }
    const reader: StateReader = { tables: () => [TABLE], source: () => source, table() {} }
    this.#take(pane, this.#groups.read(reader, TABLE)!)
  }

  panes(): Iterable<number> {
    return this.#panes.keys()
  }

  dispose(): void {
    for (const { tables } of this.#panes.values()) this.#groups.dispose(tables)
    this.#panes.clear()
  }

  /** All that `tables` holds. */
  #write(tables: GroupTables, hand: (records: Uint8Array) => void): void {
    const sink: EntrySink = {
      schema: (text) => {
        this.#schema = text
      },
      replace() {},
      put() {},
      remove() {},
      // A view that lives no longer than the call: what is handed on copies it.
      records: (bytes) => hand(bytes),
    }
    this.#groups.write({ table: (_, write) => write(sink) }, TABLE, tables)
  }

  #schemaText(): string {
    if (this.#schema === '') {
      const empty = this.#groups.make()
      this.#write(empty, () => {})
      this.#groups.dispose(empty)
    }
    return this.#schema
  }
}
