/** Plans made by hand, for tests of single nodes: a scripted table of columns k, v, d, x, r, t, and expressions over it. */
import { type Schema, types } from '../../src/data/types.ts'
import type { Expression } from '../../src/plan/expressions.ts'
import type { PlanNode, SortKey } from '../../src/plan/nodes.ts'

export const EVENTS: Schema = [
  { name: 'k', type: types.string },
  { name: 'v', type: types.bigint },
  { name: 'd', type: types.decimal(30, 2) },
  { name: 'x', type: types.double },
  {
    name: 'r',
    type: {
      kind: 'row',
      fields: [
        { name: 'a', type: types.string },
        { name: 'b', type: types.int },
      ],
      nullable: true,
    },
  },
  { name: 't', type: types.timestamp(3) },
]

/** Column `name` of `schema`. */
export function column(name: string, schema: Schema = EVENTS): Expression {
  const index = schema.findIndex((field) => field.name === name)
  return { kind: 'column', index, type: schema[index]!.type }
}

/** 'v', 'v desc', 'v desc nulls last': NULLs are least unless said, as in Flink. */
export function orderBy(text: string, schema: Schema = EVENTS): readonly SortKey[] {
  return text.split(', ').map((each) => {
    const [name, ...words] = each.split(' ')
    const descending = words.includes('desc')
    const nullsFirst = words.includes('nulls') ? words.includes('first') : !descending
    return { expression: column(name!, schema), descending, nullsFirst }
  })
}

/** The scripted table `name`. With `delayUs` its event time is `t`. */
export function events(
  options: { readonly changelog?: boolean; readonly delayUs?: bigint; readonly name?: string } = {},
): PlanNode {
  const scan: PlanNode = {
    kind: 'scan',
    table: {
      name: options.name ?? 'events',
      columns: EVENTS.map((field) => ({ kind: 'physical', ...field })),
      options: { connector: 'scripted', changelog: String(options.changelog ?? false) },
    },
    schema: EVENTS,
    ...(options.changelog ? { changes: 'retract' } : {}),
  }
  if (options.delayUs === undefined) return scan
  return {
    kind: 'watermark-assigner',
    input: scan,
    rowtime: 5,
    watermark: {
      kind: 'call',
      function: 'MINUS',
      args: [
        column('t'),
        {
          kind: 'literal',
          value: `${options.delayUs}`,
          type: { kind: 'interval_day_second', nullable: false },
        },
      ],
      type: types.timestamp(3),
    },
  }
}
