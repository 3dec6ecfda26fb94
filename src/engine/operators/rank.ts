/**
 * Top-N, as a changelog.
 *
 *   in     +I and +U bring a row of a partition, -U and -D take one away (the first that equals it)
 *   out    with the number (or numbers from above 1): for each number whose row changed -U old and +U new, +I or -D where there was
 *          or is none; without: -D of rows that left the first N, then +I of rows that came in
 *   state  a list a partition in the order of the sort keys: its first N rows where none are taken back, else all rows
 *
 * Rows that tie are numbered as they came. With one-row batches the changelog is Flink's, row for row; of a larger batch the
 * difference that it makes is told.
 *
 * @see Flink, AppendOnlyTopNFunction and RetractableTopNFunction; FastTop1Function is in top-one.ts
 */
import { compileProjection } from '../../compile/expression.ts'
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { type Rank, schemaOf } from '../../plan/nodes.ts'
import { updatedTopKey } from '../../plan/updated-top.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { type RankChanges, rankedByMembership, rankedByNumber } from './rank-changes.ts'
import { type RankEnds, rankEnds } from './rank-ends.ts'
import { type SortColumns, sortColumns, sortOrder } from './sort-order.ts'
import { isFixedTop, topFixed } from './top-fixed.ts'
import { TopLists } from './top-lists.ts'
import { topOne } from './top-one.ts'
import { TopUpdated } from './top-updated.ts'

const TABLE = 'rows'
/** Counted and shown. */
export const UNMATCHED = 'retraction of a row that is not there'

/** `retracts`: the input takes rows back. `tablesChange`: tables beneath give changes, and do not only grow. */
export function rank(
  plan: Rank,
  context: OperatorContext,
  retracts: boolean,
  tablesChange = true,
): Operator {
  if (plan.function !== 'ROW_NUMBER') throw noTies(plan.function)
  if (plan.from === 1 && plan.to === 1 && !retracts) return topOne(plan, context)
  if (!retracts && isFixedTop(plan)) return topFixed(plan, context)
  const key = tablesChange ? undefined : updatedTopKey(plan)
  if (key !== undefined && typeof plan.to === 'number')
    return new TopUpdated({ ...plan, to: plan.to }, key, context)
  return new TopN(plan, context, retracts)
}

class TopN implements Operator {
  readonly name: string
  readonly #memory: LinearMemory
  readonly #retracts: boolean
  readonly #evaluation: Evaluation
  readonly #partition: ReturnType<typeof compileProjection>
  readonly #columns: SortColumns
  readonly #rows: RowLists
  readonly #top: TopLists
  readonly #ends: RankEnds
  readonly #changes: RankChanges

  constructor(plan: Rank, context: OperatorContext, retracts: boolean) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    const keys = plan.partition.map(({ type }) => type)
    this.name = `rank(${typeof plan.to === 'number' ? plan.to : 'variable'})`
    this.#memory = memory
    this.#retracts = retracts
    this.#evaluation = evaluationOf(context, schema)
    this.#partition = compileProjection(plan.partition, context)
    this.#columns = sortColumns(memory, schema, plan.order)
    this.#rows = memoryRowLists(memory, { keys, row: this.#columns.types, extras: 1 })
    this.#ends = rankEnds(memory, keys, plan.to)
    const hasNumbers = plan.outputsNumber || plan.from > 1
    const told = { memory, rows: this.#rows, width: schema.length, ...plan }
    this.#changes = hasNumbers ? rankedByNumber(told) : rankedByMembership(told)
    this.#top = new TopLists({
      memory,
      rows: this.#rows,
      order: sortOrder(memory, this.#columns.keys, this.#rows),
      changes: this.#changes,
      unmatched: () => context.count(UNMATCHED, 1),
    })
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#partition.map((key) => key.evaluate(frame))
    const columns = this.#columns.of(frame)
    const good = this.#evaluation.withoutFailed(batch)
    if (good.count === 0) return
    const lists = this.#memory.arena.allocate(4 * good.count)
    this.#rows.lists({ count: good.count, selection: good.selection, keys }, lists)
    const kept = { ...good, columns }
    const ends = this.#ends.ofRows(kept, keys)
    if (this.#retracts) this.#top.addAndTake(kept, lists, ends)
    else this.#top.addBetter(kept, lists, ends)
    this.#changes.emit(good.count === 1, emit)
  }

  onWatermark(): void {}
  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
    this.#ends.snapshot(writer)
  }

  restore(reader: StateReader): void {
    this.#ends.restore(reader)
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#rows.restore(source)
    this.#top.ordered.sortAll((list) =>
      this.#changes.restored(list, this.#ends.ofList(this.#rows, list)),
    )
  }

  dispose(): void {
    this.#rows.dispose()
    this.#ends.dispose()
  }
}

/** Flink, too, has no RANK and DENSE_RANK on streams. */
export function noTies(name: string): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: `${name}() does not limit a stream: only ROW_NUMBER() does`,
    hint: 'use ROW_NUMBER(), with further columns in ORDER BY that decide between rows that tie',
    facts: { function: name },
  })
}
