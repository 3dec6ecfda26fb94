/** Watermarks of the rows that an engine read, worked out row by row from the order in which it read them: for the oracle. */

import { inputsOf, withInputs } from '../../src/plan/inputs.ts'
import type { PlanNode, Scan } from '../../src/plan/nodes.ts'
import type { NaiveRow } from '../naive/expression.ts'
import type { Change, Input } from '../naive/interpret.ts'
import type { Fed, FedRow, ReadEvent } from './engine-run.ts'

/** All tables' event time is column `t`, its watermark `t - delayUs`. Rows without a time are dead and left out. */
export function watermarkedInputs(
  plan: PlanNode,
  fed: Fed,
  read: readonly ReadEvent[],
  delayUs: bigint,
): { readonly inputs: ReadonlyMap<string, Input>; readonly dead: number } {
  const greatest = new Map<string, bigint | undefined>()
  for (const [table, splits] of fed) {
    for (const index of splits.keys()) greatest.set(`${table}/${index}`, undefined)
  }
  const ended = new Set<string>()
  const inputs = new Map<string, Change[]>([...fed.keys()].map((table) => [table, []]))
  const schemas = new Map(scansOf(plan).map(({ table, schema }) => [table.name, schema]))
  let combined: bigint | undefined
  let dead = 0
  for (const [at, event] of read.entries()) {
    if (event.kind === 'ended') ended.add(event.split)
    else {
      const table = event.split.split('/')[0]!
      const { kind, row } = rowsOf(fed, event.split)[event.index]!
      const time = row.t as bigint | null
      if (time === null) {
        dead++
        continue
      }
      const values: NaiveRow = schemas.get(table)!.map(({ name }) => row[name] ?? null)
      const watermark = combined === undefined ? {} : { watermark: combined }
      inputs.get(table)!.push({ kind, row: values, ...watermark, at })
      const before = greatest.get(event.split)
      if (before === undefined || time - delayUs > before) greatest.set(event.split, time - delayUs)
    }
    combined = combinedOf(greatest, ended, combined)
  }
  return { inputs, dead }
}

function rowsOf(fed: Fed, split: string): readonly FedRow[] {
  const [table, index] = split.split('/') as [string, string]
  return fed.get(table)![Number(index)]!
}

/** The plan without its watermarks: what it says when rows bring them along. */
export function withoutAssigners<Node extends PlanNode>(node: Node): PlanNode {
  if (node.kind === 'watermark-assigner') return withoutAssigners(node.input)
  return withInputs(node, inputsOf(node).map(withoutAssigners))
}

function combinedOf(
  greatest: ReadonlyMap<string, bigint | undefined>,
  ended: ReadonlySet<string>,
  before: bigint | undefined,
): bigint | undefined {
  const open = [...greatest].filter(([split]) => !ended.has(split)).map(([, value]) => value)
  if (open.length === 0 || open.some((value) => value === undefined)) return before
  const least = open.reduce((best, value) => (value! < best! ? value : best))!
  return before !== undefined && before > least ? before : least
}

function scansOf(node: PlanNode): Scan[] {
  return node.kind === 'scan' ? [node] : inputsOf(node).flatMap(scansOf)
}
