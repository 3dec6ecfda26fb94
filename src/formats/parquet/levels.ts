/** Definition levels of a leaf that has one value a row at most: how many optional steps of its path are there. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { invariant, MillraceError } from '../../errors.ts'
import { appendHybrid, appendRun, bitsFor } from './hybrid.ts'
import type { Leaf } from './layout.ts'
import { type PageBytes, reserve } from './page-bytes.ts'

/** The rows that hold a value, and the vector that they are rows of. */
export interface Present {
  readonly vector: Vector
  readonly rows: Uint32Array
  readonly count: number
}

export interface LevelBuffer {
  /** Levels of the page so far: rows, and entries beyond the first of ARRAYs and MAPs. */
  readonly count: number
  readonly nullCount: number
  /** Adds the rows' levels and answers which of them hold a value. */
  append(
    memory: LinearMemory,
    columns: readonly Vector[],
    rows: Uint32Array,
    count: number,
  ): Present
  /** Appends the page's levels as they lie in the page. */
  take(out: PageBytes): void
  reset(): void
}

/** Definition levels of a leaf without repetition: how many optional steps of its path are there, row by row. */
export function flatLevels(leaf: Leaf): LevelBuffer {
  const { definitionMax } = leaf
  const bitWidth = bitsFor(definitionMax)
  let levels = new Uint8Array(1024)
  let present = new Uint32Array(1024)
  let count = 0
  let nullCount = 0
  const room = (more: number) => {
    while (count + more > levels.length) {
      const larger = new Uint8Array(levels.length * 2)
      larger.set(levels)
      levels = larger
    }
    if (more > present.length) present = new Uint32Array(more * 2)
  }
  return {
    get count() {
      return count
    },
    get nullCount() {
      return nullCount
    },
    append(memory, columns, rows, more) {
      const steps = validities(columns, leaf)
      room(more)
      if (steps.every((step) => step.validity === 0)) {
        levels.fill(definitionMax, count, count + more)
        count += more
        return { vector: leafVector(columns, leaf), rows, count: more }
      }
      const held = appendLevels(memory, leaf, steps, rows, more, levels, count, present)
      nullCount += more - held
      count += more
      return { vector: leafVector(columns, leaf), rows: present, count: held }
    },
    take(out) {
      if (definitionMax === 0) return
      appendLengthed(out, () => {
        if (nullCount === 0) appendRun(out, definitionMax, count, bitWidth)
        else appendHybrid(out, levels, count, bitWidth)
      })
    },
    reset() {
      count = 0
      nullCount = 0
    },
  }
}

interface Step {
  readonly validity: number
  readonly optional: boolean
}

/** The validity bitmap and optionality of each step of the leaf's path. */
function validities(columns: readonly Vector[], leaf: Leaf): readonly Step[] {
  const steps: Step[] = []
  let vector = columns[leaf.indexes[0]!]
  leaf.optional.forEach((optional, depth) => {
    if (depth > 0) vector = vector?.children?.[leaf.indexes[depth]!]
    invariant(vector !== undefined, `a batch holds column '${leaf.path.join('.')}'`)
    steps.push({ validity: vector.validity, optional })
  })
  return steps
}

function appendLevels(
  memory: LinearMemory,
  leaf: Leaf,
  steps: readonly Step[],
  rows: Uint32Array,
  count: number,
  levels: Uint8Array,
  start: number,
  present: Uint32Array,
): number {
  const { u8 } = memory
  let held = 0
  for (let at = 0; at < count; at++) {
    const row = rows[at]!
    let level = 0
    let depth = 0
    for (; depth < steps.length; depth++) {
      const { validity, optional } = steps[depth]!
      if (validity !== 0 && ((u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) break
      if (optional) level++
    }
    levels[start + at] = level
    if (depth === steps.length) present[held++] = row
    else if (!steps[depth]!.optional) throw nullRefused(leaf.path.join('.'))
  }
  return held
}

export function nullRefused(column: string): MillraceError {
  return new MillraceError('NULL_REFUSED', {
    message: `a NULL came for column '${column}', which is NOT NULL`,
    hint: `filter such rows with WHERE, give them a value with COALESCE, or declare '${column}' without NOT NULL`,
    facts: { column },
  })
}

function leafVector(columns: readonly Vector[], leaf: Leaf): Vector {
  let vector = columns[leaf.indexes[0]!]
  for (const index of leaf.indexes.slice(1)) vector = vector?.children?.[index]
  invariant(vector !== undefined, `a batch holds column '${leaf.path.join('.')}'`)
  return vector
}

/** What `append` appends, behind its length: how levels lie in a page. */
export function appendLengthed(out: PageBytes, append: () => void): void {
  reserve(out, 4)
  const lengthAt = out.length
  out.length += 4
  append()
  new DataView(out.u8.buffer).setUint32(lengthAt, out.length - lengthAt - 4, true)
}
