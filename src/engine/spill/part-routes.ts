/** Rows by the part of their key, each part's in their order. */
import { compileProjection } from '../../compile/expression.ts'
import type { Batch } from '../../data/batch.ts'
import type { Schema } from '../../data/types.ts'
import { keyHasher } from '../../kernels/group.ts'
import type { Expression } from '../../plan/expressions.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'

export interface KeyedInput {
  readonly keys: readonly Expression[]
  /** Of the rows. */
  readonly schema: Schema
}

/** Rows whose keys can't be computed go to dead. */
export type PartRouter = (batch: Batch, input: number) => readonly Routed[]

export interface Routed {
  readonly part: number
  readonly rows: Batch
}

/** By the lowest bits of their keys' hash: `parts` is a power of two. */
export function partRouter(
  context: OperatorContext,
  inputs: readonly KeyedInput[],
  parts: number,
): PartRouter {
  const { memory } = context
  const routes = inputs.map(({ keys, schema }) => ({
    evaluation: evaluationOf(context, schema),
    compiled: compileProjection(keys, { memory }),
    hash: keyHasher(
      memory,
      keys.map(({ type }) => type),
    ),
  }))
  const starts = new Uint32Array(parts + 1)
  return (given, input) => {
    const { evaluation, compiled, hash } = routes[input]!
    const frame = evaluation.frameOf(given)
    const vectors = compiled.map((key) => key.evaluate(frame))
    const batch = evaluation.withoutFailed(given)
    const { selection, count } = batch
    const hashes = memory.arena.allocate(4 * count)
    hash(vectors, selection, count, hashes)
    const sorted = memory.arena.allocate(4 * count)
    const { u32 } = memory
    const mask = parts - 1
    starts.fill(0)
    for (let at = 0; at < count; at++) starts[(u32[hashes / 4 + at]! & mask) + 1]!++
    for (let part = 0; part < parts; part++) starts[part + 1]! += starts[part]!
    for (let at = 0; at < count; at++) {
      const row = selection === 0 ? at : u32[selection / 4 + at]!
      u32[sorted / 4 + starts[u32[hashes / 4 + at]! & mask]!++] = row
    }
    const routed: Routed[] = []
    // Each start has moved to its part's end.
    for (let part = 0, from = 0; part < parts; part++) {
      const end = starts[part]!
      if (end > from)
        routed.push({ part, rows: { ...batch, selection: sorted + 4 * from, count: end - from } })
      from = end
    }
    return routed
  }
}

/** A batch of up to `rowsMax` rows as it is, a larger one in pieces. */
export function* pieces(
  { memory }: OperatorContext,
  batch: Batch,
  rowsMax: number,
): Generator<Batch> {
  if (batch.count <= rowsMax) {
    yield batch
    return
  }
  const { arena } = memory
  const selection = batch.selection === 0 ? arena.allocate(4 * batch.count) : batch.selection
  if (batch.selection === 0)
    for (let at = 0; at < batch.count; at++) memory.u32[selection / 4 + at] = at
  for (let from = 0; from < batch.count; from += rowsMax) {
    const count = Math.min(rowsMax, batch.count - from)
    yield { ...batch, selection: selection + 4 * from, count }
  }
}
