/** JOIN t FOR SYSTEM_TIME AS OF o.ts: each row with the version of the other table's row that was valid then. */
import { conjunctionOf } from '../../plan/conjuncts.ts'
import { eachVersion } from '../../plan/each-version.ts'
import type { Expression } from '../../plan/expressions.ts'
import { equalPair } from '../../plan/join-keys.ts'
import { joinedSchema, shifted } from '../../plan/joins.ts'
import { schemaOf, type TemporalJoin } from '../../plan/nodes.ts'
import { timeAttributesOf, timeDomainOf } from '../../plan/time-attributes.ts'
import { traitsOf } from '../../plan/traits.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, JoinSyntax } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { beside, conditionsOf, type JoinContext } from './bind-join.ts'
import { lookedUp, lookupJoin } from './bind-lookup-join.ts'
import type { Relation } from './scope.ts'

/** @throws SQL_JOIN_INVALID */
export function bindTemporalJoin(
  left: Relation,
  right: Relation,
  asOf: ExpressionSyntax,
  syntax: JoinSyntax,
  context: JoinContext,
): Relation {
  const type = syntax.type === 'cross' ? 'inner' : syntax.type
  if (type === 'right' || type === 'full') {
    throw invalid(
      syntax.at,
      `a version is looked up for a row: there is none in ${type.toUpperCase()} JOIN`,
      'write JOIN or LEFT JOIN',
    )
  }
  const time = bindExpression(asOf, { relation: left })
  const timeDomain = time.kind === 'column' ? timeDomainOf(left.node, time.index) : undefined
  if (time.kind !== 'column' || timeDomain === undefined) {
    throw invalid(
      asOf.at,
      'FOR SYSTEM_TIME AS OF takes a time attribute of the table on the left',
      'name its event time column (WATERMARK FOR ts), or one that is PROCTIME()',
    )
  }
  const conjuncts = syntax.on === undefined ? [] : conditionsOf(left, right, syntax.on, context)
  const asked = lookedUp(right.node, context.catalog, syntax.right.at)
  if (asked !== undefined) {
    if (timeDomain === 'event')
      throw invalid(
        asOf.at,
        `table ${asked.scan.table.name} is asked for the rows it has now: it has no older versions`,
        'name a column of the left table that is PROCTIME()',
      )
    const node = lookupJoin(type, left.node, asked, conjuncts, syntax.on?.at ?? syntax.right.at)
    return beside(left, right, node)
  }
  const split = splitByKey(left, right, conjuncts, syntax)
  const node: TemporalJoin = {
    kind: 'temporal-join',
    type,
    left: left.node,
    right: timeDomain === 'event' ? eachVersion(right.node) : right.node,
    ...split,
    leftTime: time.index,
    ...(timeDomain === 'event'
      ? { rightTime: versionTime(right, syntax.right.at) }
      : { timeDomain }),
    schema: joinedSchema(type, schemaOf(left.node), schemaOf(right.node)),
  }
  return beside(left, right, node)
}

/** The equalities with the right side's key are keys; all else is a condition on the version that is found. */
function splitByKey(
  left: Relation,
  right: Relation,
  conjuncts: readonly Expression[],
  syntax: JoinSyntax,
): Pick<TemporalJoin, 'leftKeys' | 'rightKeys' | 'condition'> {
  const width = schemaOf(left.node).length
  const key = traitsOf(right.node).upsertKey
  if (key === undefined || key.length === 0) {
    throw invalid(
      syntax.right.at,
      "this table has no key: it can't be told which rows are versions of one",
      'declare it: PRIMARY KEY (id) NOT ENFORCED, or take the last row of each: ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) = 1',
    )
  }
  const pairs = conjuncts.map((conjunct) => equalPair(conjunct, width))
  const chosen = key.map((column) =>
    pairs.findIndex((pair) => pair?.[1].kind === 'column' && pair[1].index === width + column),
  )
  if (chosen.includes(-1)) {
    const names = key.map((column) => `\`${schemaOf(right.node)[column]!.name}\``)
    throw invalid(
      syntax.on?.at ?? syntax.right.at,
      `the key of the versioned table, ${names.join(', ')}, is not compared`,
      'compare each column of its key with = in ON',
    )
  }
  const condition = conjunctionOf(conjuncts.filter((_, index) => !chosen.includes(index)))
  return {
    leftKeys: chosen.map((index) => pairs[index]![0]),
    rightKeys: chosen.map((index) => shifted(pairs[index]![1], -width)),
    ...(condition === undefined ? {} : { condition }),
  }
}

function versionTime({ node }: Relation, at: Place): number {
  const [time] = timeAttributesOf(node)
  if (time !== undefined) return time
  throw invalid(
    at,
    "this table has no event time: it can't be told from when a version is valid",
    "declare it: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND",
  )
}

function invalid(at: Place, message: string, hint: string): SqlError {
  return new SqlError('SQL_JOIN_INVALID', at, { message, hint })
}
