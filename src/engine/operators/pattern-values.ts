/** What conditions and measures of a pattern see: the row that is tried, and values of the rows that a match has so far. */
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, type Schema, withNullability } from '../../data/types.ts'
import { collectColumns } from '../../plan/columns.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { type MatchRecognize, schemaOf } from '../../plan/nodes.ts'
import type { PatternReference } from '../../plan/patterns.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import { groupTables } from './group-state.ts'

/** Entries of a match's rows: of a variable, or with none of all, the oldest first. */
export type EntriesOf = (variable: string | undefined) => readonly Pointer[]

export interface PatternValues {
  /** Whether `entry` fits term `term`, given the rows of the match with it. */
  fits(term: number, entry: Pointer, entriesOf: EntriesOf): boolean
  /** One row: the partition's columns, then the measures. Arena memory. */
  result(list: Pointer, entriesOf: EntriesOf): Batch
}

export function patternValues(
  plan: MatchRecognize,
  context: OperatorContext,
  rows: RowLists,
): PatternValues {
  const { memory } = context
  const schema = schemaOf(plan.input)
  const references = plan.references.map((each) => referenceReader(each, context, rows, schema))
  const types = references.map(({ type }) => type)
  const conditions = plan.pattern.map(({ condition }) =>
    condition === undefined ? undefined : conditionOf(condition, schema, context, types),
  )
  const measures = compileProjection(plan.measures, { memory })
  const measured = evaluationOf(context, [
    ...plan.partition.map(({ type }, index) => ({ name: plan.schema[index]!.name, type })),
    ...named(types),
  ])
  return {
    fits(term, entry, entriesOf) {
      const condition = conditions[term]
      if (condition === undefined) return true
      const mark = memory.arena.mark()
      const columns = [...rows.columnsOf(one(context, entry), 1).slice(0, schema.length)]
      for (let index = 0; index < references.length; index++) {
        columns.push(
          condition.reads.has(index)
            ? references[index]!.read(entriesOf)
            : nothing(context, types[index]!),
        )
      }
      const isFit = condition.holds({ rowCount: 1, columns, kinds: 0, selection: 0, count: 1 })
      memory.arena.release(mark)
      return isFit
    },
    result(list, entriesOf) {
      const keys = rows.keysOf(one(context, list), 1)
      const columns = [...keys, ...references.map(({ read }) => read(entriesOf))]
      const batch = { rowCount: 1, columns, kinds: 0, selection: 0, count: 1 } as const
      const frame = measured.frameOf(batch)
      const values = measures.map((measure) => measure.evaluate(frame))
      return { ...measured.withoutFailed(batch), columns: [...keys, ...values] }
    },
  }
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
  const { memory } = context
  const predicate = compilePredicate(condition, { memory })
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

interface ReferenceReader {
  readonly type: DataType
  /** One row. */
  read(entriesOf: EntriesOf): Vector
}

function referenceReader(
  reference: PatternReference,
  context: OperatorContext,
  rows: RowLists,
  schema: Schema,
): ReferenceReader {
  if (reference.kind === 'aggregate')
    return aggregateReader(reference.call, reference.variable, context, rows, schema)
  const { kind, variable, offset, expression } = reference
  const type = withNullability(expression.type, true)
  const compiled = compileExpression(expression, { memory: context.memory })
  const evaluation = evaluationOf(context, schema)
  return {
    type,
    read(entriesOf) {
      const entries = entriesOf(variable)
      const entry = entries[kind === 'first' ? offset : entries.length - 1 - offset]
      if (entry === undefined) return nothing(context, type)
      const address = one(context, entry)
      if (expression.kind === 'column') return rows.columnOf(address, 1, expression.index)
      return compiled.evaluate(evaluation.frameOf(batchOf(address, 1, rows, schema)))
    },
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
    expression: (expression) => compileExpression(expression, { memory }),
    predicate: (expression) => compilePredicate(expression, { memory }),
    retracts: false,
  })
  const tables = groupTables(memory, [], aggregates)
  const evaluation: Evaluation = evaluationOf(context, schema)
  return {
    type: call.type,
    read(entriesOf) {
      const held = entriesOf(variable)
      const count = held.length
      const addresses = memory.arena.allocate(4 * count)
      memory.u32.set(held, addresses / 4)
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
    },
  }
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
