/** The memory of one store of rows: it gives the kernels room, piece by piece, and takes it back whole. */
import { type LinearMemory, OVERREAD_BYTES, type Pointer } from '../data/memory.ts'
import { NEED } from '../kernels/group.ts'
import type { RowsLayout } from '../kernels/rows.ts'
import type { RecordPieces } from './record-pieces.ts'
import { blockBytes } from './table-block.ts'
import { badRecord } from './table-errors.ts'

// Offsets in the store block, in u32s: rows/store.as.ts.
const BUMP = 4
const BUMP_END = 5
const LIVE_COUNT = 7
const DIRTY_AT = 8
const DIRTY_END = 9
const SLAB = 10
const LAYOUT = 11
const NEED_KIND = 12
const NEED_AMOUNT = 13
const STORE_BYTES = 4 * 18

const CHUNK_BITS_MIN = 9
const CHUNK_BITS_MAX = 20
const DIRTY_BITS_MIN = 7
const DIRTY_BITS_MAX = 18
const SLAB_HEAD_BYTES = 8 + 4 * 64

interface Block {
  readonly pointer: Pointer
  readonly bytes: number
}

export class RowRoom {
  /** The store block. */
  readonly store: Pointer
  readonly #memory: LinearMemory
  readonly #entryBytes: number
  readonly #chunks: Block[] = []
  readonly #dirty: Block[] = []
  readonly #slab: Block[] = []
  #bytes = 0

  constructor(memory: LinearMemory, layoutBlock: Pointer, layout: RowsLayout) {
    this.#memory = memory
    this.#entryBytes = layout.entryBytes
    this.store = this.#allocate(STORE_BYTES)
    memory.u32.fill(0, this.store / 4, (this.store + STORE_BYTES) / 4)
    this.#write(LAYOUT, layoutBlock)
    if (layout.hasBytes) this.#startSlab()
  }

  get bytesUsed(): number {
    return this.#bytes
  }

  get liveCount(): number {
    return this.#read(LIVE_COUNT)
  }

  /** How much of what is needed. */
  get amount(): number {
    return this.#read(NEED_AMOUNT)
  }

  /**
   * Gives the store what it needs.
   * @throws CHECKPOINT_CORRUPT if what it needs is a better record
   */
  make(): void {
    const kind = this.#read(NEED_KIND)
    if (kind === NEED.entries) this.#addChunk()
    else if (kind === NEED.dirty) this.#addDirty()
    else if (kind === NEED.slab) this.#addSlab(this.amount)
    else throw badRecord(kind)
  }

  /** The pieces of the dirty list, as they are filled. */
  dirty(): { readonly start: Pointer; readonly end: Pointer }[] {
    return this.#dirty.map(({ pointer, bytes }, index) => {
      const isLast = index === this.#dirty.length - 1
      return { start: pointer, end: isLast ? this.#read(DIRTY_AT) : pointer + bytes }
    })
  }

  /** Where entries lie, for who writes them all. */
  whole(): Pick<RecordPieces, 'pieces' | 'needed'> {
    const pieces = this.#chunks.map(({ pointer: start, bytes }, index) => {
      const isLast = index === this.#chunks.length - 1
      const whole = start + Math.floor(bytes / this.#entryBytes) * this.#entryBytes
      return { start, end: isLast ? this.#read(BUMP) : whole }
    })
    return { pieces, needed: () => this.amount }
  }

  clearDirty(): void {
    for (const block of this.#dirty.splice(1)) this.#release(block)
    const first = this.#dirty[0]
    if (first === undefined) return
    this.#write(DIRTY_AT, first.pointer)
    this.#write(DIRTY_END, first.pointer + first.bytes)
  }

  dispose(): void {
    for (const block of [...this.#chunks, ...this.#dirty, ...this.#slab]) this.#release(block)
    this.#release({ pointer: this.store, bytes: STORE_BYTES })
  }

  #addChunk(): void {
    const bits = Math.min(CHUNK_BITS_MIN + this.#chunks.length, CHUNK_BITS_MAX)
    const bytes = Math.max(blockBytes(bits), this.#entryBytes)
    const pointer = this.#allocate(bytes)
    this.#chunks.push({ pointer, bytes })
    this.#write(BUMP, pointer)
    this.#write(BUMP_END, pointer + bytes)
  }

  #addDirty(): void {
    const bytes = blockBytes(Math.min(DIRTY_BITS_MIN + this.#dirty.length, DIRTY_BITS_MAX))
    const pointer = this.#allocate(bytes)
    this.#dirty.push({ pointer, bytes })
    this.#write(DIRTY_AT, pointer)
    this.#write(DIRTY_END, pointer + bytes)
  }

  #startSlab(): void {
    const pointer = this.#allocate(SLAB_HEAD_BYTES)
    this.#memory.u8.fill(0, pointer, pointer + SLAB_HEAD_BYTES)
    this.#slab.push({ pointer, bytes: SLAB_HEAD_BYTES })
    this.#write(SLAB, pointer)
  }

  #addSlab(least: number): void {
    const bits = Math.min(CHUNK_BITS_MIN + this.#slab.length, CHUNK_BITS_MAX)
    const bytes = Math.max(blockBytes(bits), least)
    const pointer = this.#allocate(bytes)
    this.#slab.push({ pointer, bytes })
    this.#memory.u32.set([pointer, pointer + bytes], this.#read(SLAB) / 4)
  }

  #read(field: number): number {
    return this.#memory.u32[this.store / 4 + field]!
  }

  #write(field: number, value: number): void {
    this.#memory.u32[this.store / 4 + field] = value
  }

  #allocate(bytes: number): Pointer {
    this.#bytes += bytes + OVERREAD_BYTES
    return this.#memory.allocate(bytes)
  }

  #release({ pointer, bytes }: Block): void {
    this.#bytes -= bytes + OVERREAD_BYTES
    this.#memory.free(pointer, bytes)
  }
}
