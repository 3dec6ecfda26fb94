/**
 * One part of an operator's keys: an operator of its own, which is made, restored, asked for its state and thrown away as the part
 * comes into memory and leaves it. It never knows that it is a part.
 *
 * Out of memory a part is its *base*, all of its state, in the spill file. What changed since the last checkpoint is kept beside it,
 * so that a checkpoint needs no part back in memory.
 */
import type { Batch } from '../../data/batch.ts'
import type { BlockScope, LinearMemory } from '../../data/memory.ts'
import type { SpillFile } from '../../state/spill-file.ts'
import {
  bytesOf,
  freeTables,
  type SpilledTables,
  spilledReader,
  type TakenTables,
  takeTables,
} from '../../state/spilled-tables.ts'
import type { HashSlice, StateReader } from '../../state/state-stream.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import type { DeferredRows } from './deferred-rows.ts'
import type { Resident, StateMemory } from './state-memory.ts'

export interface PartOptions {
  readonly memory: LinearMemory
  readonly file: SpillFile
  readonly pool: StateMemory
  /** At a watermark. */
  make(watermarkUs: bigint): Operator
  readonly log: DeferredRows
  /** Where the part stands. */
  readonly watermarkUs: bigint
  /** Rows are told the watermark at which they came. */
  readonly minds: boolean
  readonly inherited?: Inherited
  faultPoint(name: string): void
}

/** State of a restored checkpoint, until the part first comes into memory. */
export interface Inherited {
  readonly tables: SpilledTables
  readonly slice: HashSlice
  /** It is not needed any more. */
  taken(): void
}

export class Part implements Resident {
  readonly log: DeferredRows
  score = 0
  readonly #options: PartOptions
  #watermarkUs: bigint
  #inherited: Inherited | undefined
  #operator: Operator | undefined
  #scope: BlockScope | undefined
  #base: SpilledTables | undefined
  /** What the next checkpoint has to be told of what is out of memory. */
  #changes: SpilledTables = new Map()
  #depth = 0
  #swaps = 0
  /** Of operators that are gone. */
  readonly #before = { counted: 0, late: 0 }
  #last: WindowProgress | undefined

  constructor(options: PartOptions) {
    this.#options = options
    this.log = options.log
    this.#watermarkUs = options.watermarkUs
    this.#inherited = options.inherited
  }

  get isResident(): boolean {
    return this.#operator !== undefined
  }

  /** Neither state nor rows. */
  get isEmpty(): boolean {
    const hasState = this.isResident || this.#base !== undefined || this.#inherited !== undefined
    return !hasState && this.log.rows === 0
  }

  get isBusy(): boolean {
    return this.#depth > 0
  }

  /** In memory. */
  get bytesUsed(): number {
    return this.#scope?.bytesUsed ?? 0
  }

  /** In the spill file, without what waits for a checkpoint. */
  get bytesSpilled(): number {
    const base = this.#base === undefined ? 0 : bytesOf(this.#base)
    return base + (this.#inherited === undefined ? 0 : bytesOf(this.#inherited.tables))
  }

  /** How often it has come back into memory. */
  get swaps(): number {
    return this.#swaps
  }

  /** Deals with rows that came at `watermarkUs`, those that wait first. */
  take(batch: Batch, input: number, watermarkUs: bigint, emit: Emit): void {
    this.settle(emit)
    this.#deal(batch, input, watermarkUs, emit)
  }

  /** Deals with the rows that wait. */
  settle(emit: Emit): void {
    if (this.log.rows === 0) return
    this.log.replay((batch, input, watermarkUs) => this.#deal(batch, input, watermarkUs, emit))
  }

  /** Lets the watermark come to where something is due. */
  reach(watermarkUs: bigint, emit: Emit): void {
    this.settle(emit)
    this.#work((operator) => operator.onWatermark(watermarkUs, this.#outside(emit)))
    this.#watermarkUs = watermarkUs
  }

  /** Comes in, and leaves again: its state is its own afterwards. */
  visit(): void {
    this.#work(() => {})
    this.leave()
  }

  leave(): void {
    const { memory, file, faultPoint } = this.#options
    const [operator, scope] = [this.#operator!, this.#scope!]
    const keep = (records: Uint8Array) => file.write(records)
    memory.within(scope, () => {
      // First: what the changes take out must not be missing from what it is compared with.
      const base = takeTables(true, (writer) => operator.snapshot(writer), keep)
      faultPoint('state-spilling')
      this.#gather(takeTables(false, (writer) => operator.snapshot(writer), keep))
      this.#base = bytesOf(base) === 0 ? undefined : base
    })
    faultPoint('state-spilled')
    this.#end()
  }

  /**
   * As `changes`, between two checkpoints: all that was written when the part left; of what is in memory, tables in which so many
   * entries have changed.
   */
  changesAhead(changesMin: number): TakenTables<Uint8Array> {
    const { file, memory } = this.#options
    const operator = this.#operator
    const changed = read(file, this.#changes)
    freeTables(file, this.#changes)
    this.#changes = new Map()
    if (operator === undefined) return changed
    const now = memory.within(this.#scope, () =>
      takeTables(
        false,
        (writer) => operator.snapshot(writer),
        (records) => records.slice(),
        changesMin,
      ),
    )
    return joined(changed, now)
  }

  /** Tables that live, with what changed in them since the last call; with `isWhole` all that is in them. */
  changes(isWhole: boolean): TakenTables<Uint8Array> {
    const { file, memory } = this.#options
    const operator = this.#operator
    const taken = (whole: boolean): TakenTables<Uint8Array> =>
      memory.within(this.#scope, () =>
        takeTables(
          whole,
          (writer) => operator!.snapshot(writer),
          (records) => records.slice(),
        ),
      )
    const all = isWhole
      ? operator === undefined
        ? read(file, this.#base ?? new Map())
        : taken(true)
      : undefined
    const now = operator === undefined ? this.#named() : taken(false)
    const changed = read(file, this.#changes)
    freeTables(file, this.#changes)
    this.#changes = new Map()
    if (all !== undefined) return all
    return joined(changed, now)
  }

  progress(): WindowProgress | undefined {
    const now = this.#operator?.progress?.() ?? this.#last
    if (now === undefined) return undefined
    const live = this.#operator === undefined ? { counted: 0, late: 0 } : now
    return {
      ...now,
      counted: this.#before.counted + live.counted,
      late: this.#before.late + live.late,
    }
  }

  dispose(): void {
    if (this.isResident) this.#end()
  }

  #deal(batch: Batch, input: number, watermarkUs: bigint, emit: Emit): void {
    this.#work((operator) => {
      if (this.#options.minds && watermarkUs > this.#watermarkUs) {
        operator.onWatermark(watermarkUs, this.#outside(emit))
        this.#watermarkUs = watermarkUs
      }
      operator.onBatch(batch, this.#outside(emit), input)
    })
  }

  /** What is below has its own state. */
  #outside(emit: Emit): Emit {
    const { memory } = this.#options
    return (batch) => memory.within(undefined, () => emit(batch))
  }

  #work(work: (operator: Operator) => void): void {
    const { memory } = this.#options
    const operator = this.#operator ?? this.#enter()
    const mark = memory.arena.mark()
    this.#depth++
    try {
      memory.within(this.#scope, () => work(operator))
    } finally {
      this.#depth--
      memory.arena.release(mark)
    }
  }

  #enter(): Operator {
    const { memory, file, pool, make, faultPoint } = this.#options
    const scope = memory.scope()
    const reader = this.#reader()
    const operator = memory.within(scope, () => {
      const made = make(this.#watermarkUs)
      if (reader !== undefined) made.restore(reader)
      return made
    })
    if (reader !== undefined) this.#swaps++
    if (this.#base !== undefined) freeTables(file, this.#base)
    this.#base = undefined
    this.#inherited?.taken()
    this.#inherited = undefined
    this.#operator = operator
    this.#scope = scope
    faultPoint('state-swapped-in')
    pool.enter(this)
    return operator
  }

  #reader(): StateReader | undefined {
    const { file } = this.#options
    if (this.#base !== undefined) return spilledReader(file, this.#base)
    if (this.#inherited === undefined) return undefined
    return spilledReader(file, this.#inherited.tables, this.#inherited.slice)
  }

  /** Tables that live out of memory. */
  #named(): TakenTables<Uint8Array> {
    const tables = this.#base ?? this.#inherited?.tables ?? this.#changes
    return new Map([...tables].map(([name, { schema }]) => [name, { schema, pieces: [] }]))
  }

  /** Adds what changed; what changed in tables that no longer live counts no more. */
  #gather(changed: SpilledTables): void {
    const { file } = this.#options
    const gone = new Map([...this.#changes].filter(([name]) => !changed.has(name)))
    freeTables(file, gone)
    for (const [name, { schema, pieces }] of changed) {
      const before = this.#changes.get(name)?.pieces ?? []
      changed.set(name, { schema, pieces: [...before, ...pieces] })
    }
    this.#changes = changed
  }

  #end(): void {
    const { memory, pool } = this.#options
    const progress = this.#operator?.progress?.()
    if (progress !== undefined) {
      this.#before.counted += progress.counted
      this.#before.late += progress.late
      this.#last = progress
    }
    memory.within(this.#scope, () => this.#operator!.dispose())
    memory.freeAll(this.#scope!)
    this.#operator = undefined
    this.#scope = undefined
    pool.left(this)
  }
}

function read(file: SpillFile, tables: SpilledTables): TakenTables<Uint8Array> {
  return new Map(
    [...tables].map(([name, { schema, pieces }]) => [
      name,
      { schema, pieces: pieces.map((piece) => file.read(piece)) },
    ]),
  )
}

/** The tables of `now`, with what changed in them before. */
function joined(
  before: TakenTables<Uint8Array>,
  now: TakenTables<Uint8Array>,
): TakenTables<Uint8Array> {
  return new Map(
    [...now].map(([name, { schema, pieces }]) => [
      name,
      { schema, pieces: [...(before.get(name)?.pieces ?? []), ...pieces] },
    ]),
  )
}
