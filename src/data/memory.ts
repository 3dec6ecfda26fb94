/**
 * The one linear memory of a worker: columns, keyed state and raw bytes all live here, where kernels reach them.
 *
 *   0 .. STATICS_BYTES        constant tables of the kernel modules (scripts/build-kernels.ts gives each its part)
 *   STATICS_BYTES ..          heap blocks (allocate, free) and the arena's chunks
 *
 * The memory is shared, so growing never detaches a view: a view made before still sees all it covered.
 * `u8`, `u32`, `i64`, `f64` cover everything that is allocated; read them again after allocating.
 */
import { invariant, MillraceError } from '../errors.ts'

/** A byte offset in linear memory. 0 is never allocated and stands for "none". */
export type Pointer = number

export const STATICS_BYTES = 1 << 20
const PAGE_BYTES = 65536
const PAGES_MAX = 65536
const CHUNK_BYTES = 4 << 20
/** Kernels read up to this many bytes past a value; every block is padded by it. */
export const OVERREAD_BYTES = 64
const CLASS_BITS_MIN = 6
const CLASS_BITS_MAX = 31

/** Heap blocks that belong together: counted while they live, and freed at once. */
export interface BlockScope {
  readonly bytesUsed: number
}

interface OpenScope {
  readonly blocks: Map<Pointer, number>
  bytesUsed: number
}

export class LinearMemory {
  readonly memory: WebAssembly.Memory
  /** The batch arena: everything allocated since a mark goes away at once on release. */
  readonly arena: Arena
  u8: Uint8Array
  i32: Int32Array
  u32: Uint32Array
  i64: BigInt64Array
  f64: Float64Array
  readonly #bytesMax: number
  readonly #free: Pointer[][] = Array.from({ length: CLASS_BITS_MAX + 1 }, () => [])
  readonly #scopes = new WeakMap<BlockScope, OpenScope>()
  #scope: OpenScope | undefined
  #end: number = STATICS_BYTES
  #bytesUsed = 0

  constructor(options: { readonly bytesMax?: number } = {}) {
    this.#bytesMax = Math.min(options.bytesMax ?? PAGES_MAX * PAGE_BYTES, PAGES_MAX * PAGE_BYTES)
    this.memory = new WebAssembly.Memory({
      initial: 2 * (STATICS_BYTES / PAGE_BYTES),
      maximum: Math.floor(this.#bytesMax / PAGE_BYTES),
      shared: true,
    })
    const { buffer } = this.memory
    this.u8 = new Uint8Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.arena = new Arena(this)
  }

  /** Bytes in live heap blocks, arena chunks included. */
  get bytesUsed(): number {
    return this.#bytesUsed
  }

  get bytesMax(): number {
    return this.#bytesMax
  }

  /**
   * A block of at least `bytes`, 64-byte aligned, readable OVERREAD_BYTES past its end; not cleared.
   * @throws MEMORY_EXHAUSTED beyond the worker's limit
   */
  allocate(bytes: number): Pointer {
    const bits = classBits(bytes)
    this.#bytesUsed += 2 ** bits
    const pointer = this.#free[bits]!.pop() ?? this.#extend(2 ** bits)
    if (this.#scope !== undefined) {
      this.#scope.blocks.set(pointer, bits)
      this.#scope.bytesUsed += 2 ** bits
    }
    return pointer
  }

  /** `bytes` as given to `allocate`. */
  free(pointer: Pointer, bytes: number): void {
    invariant(pointer >= STATICS_BYTES, 'only allocated blocks are freed')
    const bits = classBits(bytes)
    this.#bytesUsed -= 2 ** bits
    this.#free[bits]!.push(pointer)
    if (this.#scope?.blocks.delete(pointer)) this.#scope.bytesUsed -= 2 ** bits
  }

  scope(): BlockScope {
    const scope: OpenScope = { blocks: new Map(), bytesUsed: 0 }
    this.#scopes.set(scope, scope)
    return scope
  }

  /** What `work` allocates is of `scope`; undefined: of none. Its blocks are freed within it, or all at once. */
  within<Result>(scope: BlockScope | undefined, work: () => Result): Result {
    const outer = this.#scope
    this.#scope = scope === undefined ? undefined : this.#scopes.get(scope)
    try {
      return work()
    } finally {
      this.#scope = outer
    }
  }

  /** Frees what is left of the scope's blocks. */
  freeAll(scope: BlockScope): void {
    const open = this.#scopes.get(scope)
    invariant(open !== undefined, 'a scope is of this memory')
    for (const [pointer, bits] of open.blocks) {
      this.#bytesUsed -= 2 ** bits
      this.#free[bits]!.push(pointer)
    }
    open.blocks.clear()
    open.bytesUsed = 0
  }

  #extend(bytes: number): Pointer {
    const pointer = this.#end
    const end = pointer + bytes
    if (end > this.#bytesMax) throw memoryExhausted(bytes, this.#bytesMax)
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE_BYTES)
    if (missing > 0) this.#grow(missing)
    this.#end = end
    return pointer
  }

  #grow(pagesNeeded: number): void {
    // By a sixteenth at least: each growth makes new views.
    const pagesNow = this.memory.buffer.byteLength / PAGE_BYTES
    const pagesLeft = Math.floor(this.#bytesMax / PAGE_BYTES) - pagesNow
    this.memory.grow(Math.min(Math.max(pagesNeeded, pagesNow >> 4), pagesLeft))
    const { buffer } = this.memory
    this.u8 = new Uint8Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.f64 = new Float64Array(buffer)
  }
}

/** A bump allocator over heap chunks. Batches are made here; state never is. */
export class Arena {
  readonly #owner: LinearMemory
  readonly #chunks: {
    readonly pointer: Pointer
    readonly bytes: number
    readonly start: number
  }[] = []
  #chunk = -1
  #used = 0

  constructor(owner: LinearMemory) {
    this.#owner = owner
  }

  /** `bytes`, 16-byte aligned, readable OVERREAD_BYTES past the end, not cleared. May grow the memory. */
  allocate(bytes: number): Pointer {
    const size = (bytes + OVERREAD_BYTES + 15) & ~15
    while (this.#chunk < 0 || this.#used + size > this.#chunks[this.#chunk]!.bytes)
      this.#nextChunk(size)
    const pointer = this.#chunks[this.#chunk]!.pointer + this.#used
    this.#used += size
    return pointer
  }

  /** Zeroed. */
  allocateCleared(bytes: number): Pointer {
    const pointer = this.allocate(bytes)
    this.#owner.u8.fill(0, pointer, pointer + bytes)
    return pointer
  }

  /** The point to which `release` goes back. */
  mark(): number {
    return this.#chunk < 0 ? 0 : this.#chunks[this.#chunk]!.start + this.#used
  }

  /** Gives back all that was allocated since `mark`. */
  release(mark: number): void {
    while (this.#chunk > 0 && mark < this.#chunks[this.#chunk]!.start) this.#chunk--
    if (this.#chunk >= 0) this.#used = mark - this.#chunks[this.#chunk]!.start
  }

  #nextChunk(size: number): void {
    const next = this.#chunk + 1
    const previous = this.#chunks[this.#chunk]
    const start = previous === undefined ? 0 : previous.start + previous.bytes
    const held = this.#chunks[next]
    if (held === undefined || held.bytes < size) {
      for (const chunk of this.#chunks.splice(next)) this.#owner.free(chunk.pointer, chunk.bytes)
      const bytes = Math.max(CHUNK_BYTES - OVERREAD_BYTES, size)
      const pointer = this.#owner.within(undefined, () => this.#owner.allocate(bytes))
      this.#chunks.push({ pointer, bytes, start })
    }
    this.#chunk = next
    this.#used = 0
  }
}

function classBits(bytes: number): number {
  invariant(
    bytes >= 0 && bytes <= 2 ** CLASS_BITS_MAX - OVERREAD_BYTES,
    `a block of ${bytes} bytes`,
  )
  return Math.max(CLASS_BITS_MIN, 32 - Math.clz32(bytes + OVERREAD_BYTES - 1))
}

function memoryExhausted(bytes: number, bytesMax: number): MillraceError {
  return new MillraceError('MEMORY_EXHAUSTED', {
    message: `a block of ${bytes} bytes does not fit into the worker's ${bytesMax} bytes`,
    hint: 'raise the memory limit, add workers, or bound the state (a window, or a state TTL)',
    facts: { bytes, bytesMax },
  })
}
