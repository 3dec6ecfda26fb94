/**
 * MATCH_RECOGNIZE to a plan node.
 */
import { type Field, withNullability } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { type MatchRecognize, type SortKey, schemaOf } from '../../plan/nodes.ts'
import type { AllRows, PatternTerm } from '../../plan/patterns.ts'
import { timeDomainOf } from '../../plan/time-attributes.ts'
import { traitsOf } from '../../plan/traits.ts'
import type { TimeDomain } from '../../plan/windows.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { MatchSyntax, PatternTermSyntax } from '../syntax.ts'
import { bindExpression, requireBoolean } from './bind-expression.ts'
import { intervalUs } from './bind-window.ts'
import { variableNamed } from './pattern-calls.ts'
import { type PatternReferences, referencesOver } from './pattern-references.ts'
import { type Relation, relationOf } from './scope.ts'

/** @throws SqlError */
export function bindMatch(input: Relation, syntax: MatchSyntax): Relation {
  requireAppendOnly(input, syntax.at)
  const variables = variablesOf(syntax.pattern)
  const partition = syntax.partition.map((key) => bindExpression(key, { relation: input }))
  const order = syntax.order.map(({ expression, descending, nullsFirst }) => ({
    expression: bindExpression(expression, { relation: input }),
    descending,
    nullsFirst: nullsFirst ?? !descending,
  }))
  const { time, timeDomain } = timeOf(input, syntax)
  const references = referencesOver({
    relation: input,
    variables,
    time,
    isEachRowTold: syntax.allRows !== undefined,
  })
  const pattern = syntax.pattern.map((term) => termOf(term, syntax, input, references))
  requireEnd(syntax.pattern)
  const measures = syntax.measures.map(({ expression }) =>
    references.bind(expression, { base: partition.length }),
  )
  const fields = schemaOf(input.node)
  const allRows = syntax.allRows && allRowsOf(syntax.allRows, fields, partition, order)
  const node: MatchRecognize = {
    kind: 'match-recognize',
    input: input.node,
    partition,
    order,
    time,
    ...(timeDomain === 'event' ? {} : { timeDomain }),
    pattern,
    references: references.all,
    measures,
    afterMatch: afterMatchOf(syntax, variables),
    ...withinOf(syntax),
    ...(allRows && { allRows }),
    schema: [
      ...partition.map((key, index) => partitionField(key, fields, index)),
      ...(allRows?.before ?? []).map((index) => fields[index]!),
      ...measures.map(({ type }, index) => ({
        name: syntax.measures[index]!.alias.name,
        type: allRows?.unmatched ? withNullability(type, true) : type,
      })),
      ...(allRows?.after ?? []).map((index) => fields[index]!),
    ],
  }
  return relationOf(node)
}

/** Columns that rows are ordered by stand before the measures, the others behind; those of the partition are told already. */
function allRowsOf(
  { unmatched }: NonNullable<MatchSyntax['allRows']>,
  fields: readonly Field[],
  partition: readonly Expression[],
  order: readonly SortKey[],
): AllRows {
  const told = new Set(columnIndexes(partition))
  const before = columnIndexes(order.map(({ expression }) => expression)).filter(
    (index, at, all) => !told.has(index) && all.indexOf(index) === at,
  )
  for (const index of before) told.add(index)
  return { before, after: [...fields.keys()].filter((index) => !told.has(index)), unmatched }
}

function columnIndexes(expressions: readonly Expression[]): readonly number[] {
  return expressions.flatMap((each) => (each.kind === 'column' ? [each.index] : []))
}

function requireAppendOnly({ node }: Relation, at: Place): void {
  if (traitsOf(node).changes === 'append') return
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: 'MATCH_RECOGNIZE reads rows that stay, and these may be updated or taken back',
    hint: 'match the rows before they are aggregated, joined or ranked',
  })
}

function variablesOf(pattern: readonly PatternTermSyntax[]): readonly string[] {
  const names = pattern.map(({ variable }) => variable.name)
  const again = pattern.find(({ variable }, index) => names.indexOf(variable.name) !== index)
  if (again === undefined) return names
  throw new SqlError('SQL_UNSUPPORTED', again.at, {
    message: `the variable \`${again.variable.name}\` stands in the pattern twice`,
    hint: 'give the second a name of its own, and the same condition',
  })
}

function timeOf(
  { node, columns }: Relation,
  { order, at }: MatchSyntax,
): { readonly time: number; readonly timeDomain: TimeDomain } {
  const [first] = order
  const key = first && bindExpression(first.expression, { relation: { node, columns } })
  const domain = key?.kind === 'column' ? timeDomainOf(node, key.index) : undefined
  if (key?.kind === 'column' && domain !== undefined && !first!.descending)
    return { time: key.index, timeDomain: domain }
  throw new SqlError('SQL_UNSUPPORTED', first?.expression.at ?? at, {
    message: 'MATCH_RECOGNIZE needs rows in the order of their time',
    hint: 'ORDER BY a column with a watermark (or PROCTIME()) first, ascending; others may follow',
  })
}

function termOf(
  { variable, least, most, reluctant, at }: PatternTermSyntax,
  syntax: MatchSyntax,
  input: Relation,
  references: PatternReferences,
): PatternTerm {
  const isOptional = least === 0 && most === 1
  if (isOptional && reluctant)
    throw new SqlError('SQL_UNSUPPORTED', at, {
      message: `a reluctant optional variable, \`${variable.name}??\`, is not supported`,
      hint: `write ${variable.name}?`,
    })
  const define = syntax.defines.find((each) => each.variable.name === variable.name)
  const base = schemaOf(input.node).length
  const condition =
    define &&
    requireBoolean(
      references.bind(define.condition, { base, tried: variable.name }),
      define.condition.at,
    )
  return {
    variable: variable.name,
    least,
    ...(most === undefined ? {} : { most }),
    // As Flink: where a number of rows is fixed there is nothing to be greedy for, and `A?` tries both.
    greedy: !reluctant && !isOptional && least !== most,
    ...(condition && { condition }),
  }
}

/** As Flink's: a match must have an end that can be seen when it comes. */
function requireEnd(pattern: readonly PatternTermSyntax[]): void {
  const last = pattern.at(-1)!
  if (!last.reluctant && last.least !== last.most)
    throw new SqlError('SQL_UNSUPPORTED', last.at, {
      message: `the pattern ends with \`${last.variable.name}\` as often as it can: it never knows whether more will come`,
      hint: `end it with a plain variable, or take as few as will do: ${last.variable.name}+?`,
    })
  if (pattern.every(({ least }) => least === 0))
    throw new SqlError('SQL_UNSUPPORTED', last.at, {
      message: 'this pattern also matches no rows at all',
      hint: 'let one of its variables stand for at least one row',
    })
}

function afterMatchOf(
  { afterMatch }: MatchSyntax,
  variables: readonly string[],
): MatchRecognize['afterMatch'] {
  if (afterMatch === undefined) return { kind: 'past-last-row' }
  const { kind, variable } = afterMatch
  if (kind === 'past-last-row' || kind === 'to-next-row') return { kind }
  return { kind, variable: variableNamed(variable!, variables) }
}

function withinOf({ within }: MatchSyntax): { readonly withinUs?: number } {
  return within === undefined ? {} : { withinUs: intervalUs(within, 'time that a match may take') }
}

function partitionField(key: Expression, fields: readonly Field[], index: number): Field {
  return key.kind === 'column' ? fields[key.index]! : { name: `EXPR$${index}`, type: key.type }
}
