/** JOIN t FOR SYSTEM_TIME AS OF o.proc_time, where t is not read but asked for the rows of a key. */
import type { Connector } from '../../connectors/contract/connector.ts'
import type { DataType } from '../../data/types.ts'
import { mapColumns } from '../../plan/columns.ts'
import { conjunctionOf } from '../../plan/conjuncts.ts'
import type { Expression } from '../../plan/expressions.ts'
import { equalPair } from '../../plan/join-keys.ts'
import { joinedSchema } from '../../plan/joins.ts'
import {
  type AsyncCall,
  type Correlate,
  type PlanNode,
  type Scan,
  schemaOf,
} from '../../plan/nodes.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { Catalog } from './catalog.ts'

export interface LookedUp {
  readonly scan: Scan
  readonly keyOf: NonNullable<NonNullable<Connector['lookup']>['keyOf']>
}

/** Undefined if the table on the right is read as any other. @throws SQL_JOIN_INVALID */
export function lookedUp(
  right: PlanNode,
  { connectors }: Catalog,
  at: Place,
): LookedUp | undefined {
  const scan = scanIn(right)
  const connector = connectors.find(({ name }) => name === scan?.table.options.connector)
  if (scan === undefined || connector?.lookup === undefined || connector.source !== undefined)
    return undefined
  if (right.kind !== 'scan')
    throw invalid(
      at,
      `table ${scan.table.name} is asked by key: it has neither computed columns nor a watermark`,
      'compute them in SELECT, of the joined row',
    )
  return { scan: right, keyOf: connector.lookup.keyOf ?? (() => undefined) }
}

function scanIn(node: PlanNode): Scan | undefined {
  if (node.kind === 'scan') return node
  return node.kind === 'project' || node.kind === 'watermark-assigner'
    ? scanIn(node.input)
    : undefined
}

/**
 * Each left row with the array of rows that the table answers, unnested under what else ON asks. `conjuncts`: of ON, over both sides.
 * @throws SQL_JOIN_INVALID
 */
export function lookupJoin(
  type: 'inner' | 'left',
  left: PlanNode,
  { scan, keyOf }: LookedUp,
  conjuncts: readonly Expression[],
  at: Place,
): PlanNode {
  const width = schemaOf(left).length
  const columns = comparedColumns(conjuncts, width)
  const names = [...columns.keys()].map((index) => scan.schema[index]!.name)
  const key = keyOf(scan.table.options) ?? names
  const missing = key.filter((name) => !names.includes(name))
  if (key.length === 0 || missing.length > 0) throw keyMissing(scan, missing, at)
  const chosen = key.map(
    (name) => columns.get(scan.schema.findIndex((field) => field.name === name))!,
  )
  const element: DataType = { kind: 'row', fields: scan.schema, nullable: false }
  const answer: DataType = { kind: 'array', element, nullable: false }
  const asked: AsyncCall = {
    kind: 'async-call',
    input: left,
    function: scan.table.name,
    args: chosen.map(({ value }) => value),
    lookup: { table: scan.table, schema: scan.schema, key },
    schema: [...schemaOf(left), { name: `${scan.table.name}$`, type: answer }],
  }
  const rest = conjunctionOf(
    conjuncts.filter((conjunct) => !chosen.some((each) => each.conjunct === conjunct)),
  )
  const moved = (index: number): number => (index < width ? index : index + 1)
  const joined = joinedSchema(type, schemaOf(asked), scan.schema)
  const correlate: Correlate = {
    kind: 'correlate',
    input: asked,
    type,
    function: 'UNNEST',
    args: [{ kind: 'column', index: width, type: answer }],
    ...(rest && {
      condition: mapColumns(rest, (column) => ({ ...column, index: moved(column.index) })),
    }),
    schema: joined,
  }
  const schema = joinedSchema(type, schemaOf(left), scan.schema)
  const expressions = schema.map(
    ({ type }, index): Expression => ({ kind: 'column', index: moved(index), type }),
  )
  return { kind: 'project', input: correlate, expressions, schema }
}

/** Right columns that are compared with something of the left, by index: the first comparison of each. */
function comparedColumns(conjuncts: readonly Expression[], width: number) {
  const columns = new Map<number, { readonly value: Expression; readonly conjunct: Expression }>()
  for (const conjunct of conjuncts) {
    const [value, column] = equalPair(conjunct, width) ?? []
    if (value === undefined || column?.kind !== 'column') continue
    if (!columns.has(column.index - width)) columns.set(column.index - width, { value, conjunct })
  }
  return columns
}

function keyMissing({ table }: Scan, missing: readonly string[], at: Place): SqlError {
  const what =
    missing.length === 0 ? 'no column of it' : missing.map((name) => `\`${name}\``).join(', ')
  return invalid(
    at,
    `table ${table.name} is asked by key, and ${what} is ${missing.length === 0 ? '' : 'not '}compared with = here`,
    'compare the column itself, with a value of its own type: ON o.customer_id = c.id; CAST the other side where types differ',
  )
}

function invalid(at: Place, message: string, hint: string): SqlError {
  return new SqlError('SQL_JOIN_INVALID', at, { message, hint })
}
