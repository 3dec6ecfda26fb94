/** What conditions and measures of a pattern see: the row that is tried, and values of the rows that a match has so far. */
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, type Schema } from '../../data/types.ts'
import { collectColumns } from '../../plan/columns.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { type MatchRecognize, schemaOf } from '../../plan/nodes.ts'
import { type PatternReference, referenceType } from '../../plan/patterns.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import { groupTables } from './group-state.ts'

/** The rows of a match so far, or in the end, by their numbers in the partition. */
export interface MatchRows {
  /** [from, end): of a variable, or with none of all. */
  of(variable: string | undefined): readonly [from: number, end: number]
  /** Also of rows before and behind the match; undefined where there is none, or none any more. */
  entryAt(row: number): Pointer | undefined
  /** Whose row it is. */
  variableOf(row: number): string
  /** Which match of its partition it is, from 1. */
  readonly number: bigint
}

export interface PatternValues {
  /** Whether `entry` fits term `term`, given the rows of the match with it. */
  fits(term: number, entry: Pointer, rows: MatchRows): boolean
  /**
   * One row: the partition's columns, measures, and where all rows are told columns of `entry`. `rows` are those up to it, `whole` the
   * match's. Arena memory.
   */
  result(list: Pointer, entry: Pointer, rows: MatchRows, whole: MatchRows): Batch
  /** One row of no match. */
  unmatched(list: Pointer, entry: Pointer): Batch
}

export function patternValues(
  plan: MatchRecognize,
  context: OperatorContext,
  rows: RowLists,
): PatternValues {
  const { memory } = context
  const schema = schemaOf(plan.input)
  const references = plan.references.map((each) => referenceReader(each, context, rows, schema))
  const types = plan.references.map(referenceType)
  const conditions = plan.pattern.map(({ condition }) =>
    condition === undefined ? undefined : conditionOf(condition, schema, context, types),
  )
  const measures = compileProjection(plan.measures, context)
  const measured = evaluationOf(context, [
    ...plan.partition.map(({ type }, index) => ({ name: plan.schema[index]!.name, type })),
    ...named(types),
  ])
  const { before, after } = plan.allRows ?? { before: [], after: [] }

  /** The partition's columns, then measures, with columns of the row around them. */
  function told(list: Pointer, entry: Pointer, values: readonly Vector[]): readonly Vector[] {
    const address = one(context, entry)
    const of = (column: number) => rows.columnOf(address, 1, column)
    return [...rows.keysOf(one(context, list), 1), ...before.map(of), ...values, ...after.map(of)]
  }

  return {
    fits(term, entry, matched) {
      const condition = conditions[term]
      if (condition === undefined) return true
      const mark = memory.arena.mark()
      const columns = [...rows.columnsOf(one(context, entry), 1).slice(0, schema.length)]
      for (let index = 0; index < references.length; index++) {
        columns.push(
          condition.reads.has(index)
            ? references[index]!(matched)
            : nothing(context, types[index]!),
        )
      }
      const isFit = condition.holds({ rowCount: 1, columns, kinds: 0, selection: 0, count: 1 })
      memory.arena.release(mark)
      return isFit
    },
    result(list, entry, matched, whole) {
      const read = plan.references.map((reference, index) =>
        references[index]!(seesWhole(reference) ? whole : matched),
      )
      const columns = [...rows.keysOf(one(context, list), 1), ...read]
      const batch = { rowCount: 1, columns, kinds: 0, selection: 0, count: 1 } as const
      const frame = measured.frameOf(batch)
      const values = measures.map((measure) => measure.evaluate(frame))
      return { ...measured.withoutFailed(batch), columns: told(list, entry, values) }
    },
    unmatched(list, entry) {
      const values = plan.measures.map(({ type }) => nothing(context, type))
      return { rowCount: 1, columns: told(list, entry, values), kinds: 0, selection: 0, count: 1 }
    },
  }
}

/** As Trino: FIRST is the match's, however many of its rows have been told. */
function seesWhole(reference: PatternReference): boolean {
  return reference.kind === 'first' || 'final' in reference
}

interface Condition {
  /** Numbers of the references that it reads. */
  readonly reads: ReadonlySet<number>
  holds(batch: Batch): boolean
}

function conditionOf(
  condition: Expression,
  schema: Schema,
  context: OperatorContext,
  types: readonly DataType[],
): Condition {
  const predicate = compilePredicate(condition, context)
  const evaluation = evaluationOf(context, [...schema, ...named(types)])
  const read = new Set<number>()
  collectColumns(condition, read)
  return {
    reads: new Set([...read].map((index) => index - schema.length).filter((index) => index >= 0)),
    holds(batch) {
      const { count } = predicate.select(evaluation.frameOf(batch))
      // A condition that can't be computed does not hold; its row has been told as dead.
      return evaluation.withoutFailed(batch).count > 0 && count > 0
    },
  }
}

/** One row. */
type ReferenceReader = (rows: MatchRows) => Vector

function referenceReader(
  reference: PatternReference,
  context: OperatorContext,
  rows: RowLists,
  schema: Schema,
): ReferenceReader {
  switch (reference.kind) {
    case 'aggregate':
      return aggregateReader(reference.call, reference.variable, context, rows, schema)
    case 'match-number':
      return ({ number }) => {
        const cells = context.memory.arena.allocate(8)
        context.memory.i64[cells / 8] = number
        return { type: referenceType(reference), cells, validity: 0 }
      }
    case 'classifier':
      return (matched) => {
        const [, end] = matched.of(undefined)
        return textOf(context, referenceType(reference), matched.variableOf(end - 1))
      }
    default:
      return navigationReader(reference, context, rows, schema)
  }
}

function navigationReader(
  reference: Extract<PatternReference, { kind: 'first' | 'last' }>,
  context: OperatorContext,
  rows: RowLists,
  schema: Schema,
): ReferenceReader {
  const { kind, variable, offset, shift = 0, expression } = reference
  const type = referenceType(reference)
  const compiled = compileExpression(expression, context)
  const evaluation = evaluationOf(context, schema)
  return (matched) => {
    const [from, end] = matched.of(variable)
    const row = kind === 'first' ? from + offset : end - 1 - offset
    const entry = row >= from && row < end ? matched.entryAt(row + shift) : undefined
    if (entry === undefined) return nothing(context, type)
    const address = one(context, entry)
    if (expression.kind === 'column') return rows.columnOf(address, 1, expression.index)
    return compiled.evaluate(evaluation.frameOf(batchOf(address, 1, rows, schema)))
  }
}

function aggregateReader(
  call: AggregateCall,
  variable: string | undefined,
  context: OperatorContext,
  rows: RowLists,
  schema: Schema,
): ReferenceReader {
  const { memory } = context
  const aggregates = compileAggregates([call], {
    memory,
    expression: (expression) => compileExpression(expression, context),
    predicate: (expression) => compilePredicate(expression, context),
    retracts: false,
  })
  const tables = groupTables(memory, [], aggregates)
  const evaluation: Evaluation = evaluationOf(context, schema)
  return (matched) => {
    const [from, end] = matched.of(variable)
    const count = end - from
    const addresses = memory.arena.allocate(4 * count)
    for (let at = 0; at < count; at++) memory.u32[addresses / 4 + at] = matched.entryAt(from + at)!
    const state = tables.make()
    const group = memory.arena.allocate(4 * Math.max(count, 1))
    // The group exists even if it has no rows: COUNT is 0 then.
    state.groups.upsert({ count: 1, selection: 0, keys: [] }, group)
    if (count > 0) {
      state.groups.upsert({ count, selection: 0, keys: [] }, group)
      const frame = evaluation.frameOf(batchOf(addresses, count, rows, schema))
      aggregates.update(state, frame, [], group)
    }
    const result = copied(context, aggregates.results(state, group, 1)[0]!)
    tables.dispose(state)
    return result
  }
}

function textOf({ memory }: OperatorContext, type: DataType, text: string): Vector {
  const bytes = Buffer.from(text)
  const address = memory.arena.allocate(bytes.length)
  memory.u8.set(bytes, address)
  const cells = memory.arena.allocate(8)
  memory.u32[cells / 4] = address
  memory.u32[cells / 4 + 1] = bytes.length
  return { type, cells, validity: 0 }
}

/** Texts of a result lie in the state, which is about to go. */
function copied({ memory }: OperatorContext, vector: Vector): Vector {
  if (vector.type.kind !== 'varchar' && vector.type.kind !== 'char') return vector
  const address = memory.u32[vector.cells / 4]!
  const bytes = memory.u32[vector.cells / 4 + 1]!
  const copy = memory.arena.allocate(bytes)
  memory.u8.copyWithin(copy, address, address + bytes)
  memory.u32[vector.cells / 4] = copy
  return vector
}

function batchOf(entries: Pointer, count: number, rows: RowLists, schema: Schema): Batch {
  const columns = rows.columnsOf(entries, count).slice(0, schema.length)
  return { rowCount: count, columns, kinds: 0, selection: 0, count }
}

function one({ memory }: OperatorContext, address: Pointer): Pointer {
  const pointer = memory.arena.allocate(16)
  memory.u32[pointer / 4] = address
  return pointer
}

/** One NULL. */
function nothing(context: Pick<OperatorContext, 'memory'>, type: DataType): Vector {
  const { memory } = context
  const cells = memory.arena.allocateCleared(Math.max(16, cellBytes(type)))
  const vector = { type, cells, validity: memory.arena.allocateCleared(16) }
  if (type.kind !== 'row') return vector
  return { ...vector, children: type.fields.map((field) => nothing(context, field.type)) }
}

function named(types: readonly DataType[]): Schema {
  return types.map((type, index) => ({ name: `reference ${index}`, type }))
}
