/**
 * GROUPING SETS, CUBE and ROLLUP: rows once a set, the keys that are not in it NULL, grouped by all keys and the set's number.
 *
 * @see Flink, ExpandUtil and DecomposeGroupingSetsRule
 */
import { type Field, types, withNullability } from '../../data/types.ts'
import type { Expression } from '../../plan/expressions.ts'
import { type Expand, type PlanNode, schemaOf } from '../../plan/nodes.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CallSyntax, ExpressionSyntax, GroupItem } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import type { Relation } from './scope.ts'

const SETS_MAX = 4096
class TooManySets extends Error {}

export interface GroupingSets {
  readonly node: PlanNode
  /** As written, over the relation: what an expression of the query is compared with. */
  readonly originals: readonly Expression[]
  /** Over `node`, one an original. */
  readonly keys: readonly Expression[]
  /** GROUPING(...), GROUPING_ID(...), GROUP_ID(); undefined for other calls. */
  call(call: CallSyntax, at: Place): Expression | undefined
}

/** `fixed` are keys of every set, behind the others. */
export function groupingSets(
  relation: Relation,
  groupBy: readonly GroupItem[],
  fixed: readonly Expression[],
  outer: Relation | undefined,
): GroupingSets {
  const keys: Expression[] = []
  const keyOf = (syntax: ExpressionSyntax): number => {
    const env = { relation, ...(outer === undefined ? {} : { outer }) }
    const bound = bindExpression(syntax, env)
    const text = JSON.stringify(bound)
    const known = keys.findIndex((key) => JSON.stringify(key) === text)
    return known < 0 ? keys.push(bound) - 1 : known
  }
  const sets = allSets(groupBy, keyOf)
  const originals = [...keys, ...fixed]
  const isPlain = groupBy.every(({ kind }) => kind === 'plain')
  if (isPlain) return plain(relation, originals)
  const isFixed = (_: unknown, index: number): boolean =>
    index >= keys.length || sets.every((set) => set.includes(index))
  return expanded(relation, originals, sets, originals.map(isFixed))
}

/** @throws SQL_UNSUPPORTED if there are too many to group each row so often */
function allSets(
  groupBy: readonly GroupItem[],
  keyOf: (syntax: ExpressionSyntax) => number,
): readonly Set[] {
  try {
    return groupBy.reduce((all: readonly Set[], item) => multiplied(all, setsOf(item, keyOf)), [[]])
  } catch (error) {
    const last = groupBy.at(-1)!
    if (!(error instanceof TooManySets)) throw error
    throw new SqlError('SQL_UNSUPPORTED', last.kind === 'plain' ? last.expression.at : last.at, {
      message: `these are more than ${SETS_MAX} grouping sets`,
      hint: 'name the sets that are needed: GROUPING SETS ((a, b), (a), ())',
    })
  }
}

/** Numbers of keys. */
type Set = readonly number[]

function setsOf(item: GroupItem, keyOf: (syntax: ExpressionSyntax) => number): readonly Set[] {
  switch (item.kind) {
    case 'plain':
      return [[keyOf(item.expression)]]
    case 'sets':
      return item.sets.flatMap((set) =>
        set.reduce((all: readonly Set[], each) => multiplied(all, setsOf(each, keyOf)), [[]]),
      )
    case 'rollup': {
      const items = item.items.map((each) => each.map(keyOf))
      return [...items.map((_, index) => items.slice(0, items.length - index).flat()), []]
    }
    case 'cube':
      return item.items
        .map((each) => each.map(keyOf))
        .reduceRight((all: readonly Set[], each) => multiplied([each, []], all), [[]])
  }
}

function multiplied(left: readonly Set[], right: readonly Set[]): readonly Set[] {
  if (left.length * right.length > SETS_MAX) throw new TooManySets()
  return left.flatMap((a) => right.map((b) => [...new Set([...a, ...b])]))
}

function plain(relation: Relation, originals: readonly Expression[]): GroupingSets {
  return {
    node: relation.node,
    originals,
    keys: originals,
    call(call, at) {
      const named = groupingArguments(call, at, relation, originals)
      return named && { kind: 'literal', value: '0', type: NOT_NULL_BIGINT }
    },
  }
}

const NOT_NULL_BIGINT = withNullability(types.bigint, false)

/** Numbers of the keys that GROUPING or GROUPING_ID is asked of; undefined for other calls. */
function groupingArguments(
  call: CallSyntax,
  at: Place,
  relation: Relation,
  originals: readonly Expression[],
): readonly number[] | undefined {
  const name = call.name.name.toUpperCase()
  if (name !== 'GROUPING' && name !== 'GROUPING_ID') return undefined
  if (call.args.length === 0) {
    throw new SqlError('SQL_TYPE_MISMATCH', at, {
      message: `${name} takes keys of GROUP BY`,
      hint: `write ${name}(a)`,
    })
  }
  return call.args.map((syntax) => {
    const text = JSON.stringify(bindExpression(syntax, { relation }))
    const key = originals.findIndex((original) => JSON.stringify(original) === text)
    if (key >= 0) return key
    throw new SqlError('SQL_COLUMN_UNGROUPED', syntax.at, {
      message: `${name} is asked of what is no key of GROUP BY`,
      hint: 'name one of the keys',
    })
  })
}

function expanded(
  relation: Relation,
  originals: readonly Expression[],
  sets: readonly Set[],
  isFixed: readonly boolean[],
): GroupingSets {
  const { node } = relation
  const input = schemaOf(node)
  const width = input.length
  const copied = originals.flatMap((_, index) => (isFixed[index] ? [] : [index]))
  const place = (key: number): number => width + copied.indexOf(key)
  const setColumn = width + copied.length
  const setType = NOT_NULL_BIGINT
  const columns = input.map(({ type }, index): Expression => ({ kind: 'column', index, type }))
  const projections = sets.map((set, number): Expression[] => [
    ...columns,
    ...copied.map((key): Expression => {
      const original = originals[key]!
      const type = withNullability(original.type, true)
      return set.includes(key) ? original : { kind: 'literal', value: null, type }
    }),
    { kind: 'literal', value: `${number}`, type: setType },
  ])
  const schema: Field[] = [
    ...input,
    ...copied.map((key) => ({
      name: `$group${key}`,
      type: withNullability(originals[key]!.type, true),
    })),
    { name: '$set', type: setType },
  ]
  const expand: Expand = { kind: 'expand', input: node, projections, schema }
  const set: Expression = { kind: 'column', index: setColumn, type: setType }
  const keys = originals.map(
    (key, index): Expression =>
      isFixed[index]
        ? key
        : { kind: 'column', index: place(index), type: schema[place(index)]!.type },
  )
  const bitOf = (number: number, key: number): number =>
    isFixed[key] || sets[number]!.includes(key) ? 0 : 1
  return {
    node: expand,
    originals: [...originals, set],
    keys: [...keys, set],
    call(call, at) {
      const named = groupingArguments(call, at, relation, originals)
      if (named === undefined) return undefined
      // Of each set a number whose bits say, the first argument's highest, which keys are not in it.
      const masks = sets.map((_, number) =>
        named.reduce((mask, key) => mask * 2 + bitOf(number, key), 0),
      )
      return numbered(set, masks)
    },
  }
}

/** The mask of the set whose number `set` is. */
function numbered(set: Expression, masks: readonly number[]): Expression {
  const literal = (value: number): Expression => ({
    kind: 'literal',
    value: `${value}`,
    type: NOT_NULL_BIGINT,
  })
  return {
    kind: 'case',
    branches: masks.map((mask, number) => ({
      when: {
        kind: 'call',
        function: 'EQUALS',
        args: [set, literal(number)],
        type: { kind: 'boolean', nullable: false },
      },
      // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
      then: literal(mask),
    })),
    otherwise: literal(0),
    type: NOT_NULL_BIGINT,
  }
}
