/**
 * Columns that nothing reads are not read: each scan keeps what is used above it, each projection what is asked of it. Below a
 * window all are kept.
 *
 * Subtrees that are equal stay equal: what is asked of one is asked of all, so that they still run once.
 */
import { type Field, layoutOf } from '../data/types.ts'
import { type ColumnExpression, collectColumns, mapColumns } from './columns.ts'
import type { Expression } from './expressions.ts'
import { inputsOf, withInputs } from './inputs.ts'
import { type PlanNode, type Rank, schemaOf, type WindowRank } from './nodes.ts'
import { columnsRead, handedOn, moveColumns } from './shape.ts'

type Needed = Map<string, Set<number>>

interface Pruned {
  readonly node: PlanNode
  /** Old index of a column to its new one. */
  readonly places: ReadonlyMap<number, number>
}

/** The same queries with fewer columns in between; their own columns stay. */
export function pruneColumns(roots: readonly PlanNode[]): readonly PlanNode[] {
  const needed: Needed = new Map()
  let before = -1
  for (let size = 0; size !== before; size = sizeOf(needed)) {
    before = size
    for (const root of roots) collect(root, allOf(root), needed)
  }
  return roots.map((root) => narrow(prune(root, needed), allOf(root), root))
}

function sizeOf(needed: Needed): number {
  let size = 1
  for (const set of needed.values()) size += set.size
  return size
}

function allOf(node: PlanNode): Set<number> {
  return new Set(schemaOf(node).keys())
}

function keyOf(node: PlanNode): string {
  return JSON.stringify(node)
}

function collect(node: PlanNode, asked: ReadonlySet<number>, needed: Needed): void {
  const key = keyOf(node)
  const all = needed.get(key) ?? new Set()
  for (const index of asked) all.add(index)
  if (all.size === 0 && schemaOf(node).length > 0) all.add(cheapest(node))
  needed.set(key, all)
  const beneath = neededOfInputs(node, all)
  for (const [index, input] of inputsOf(node).entries()) collect(input, beneath[index]!, needed)
}

/** COUNT(*) needs rows, not columns: the one that is easiest to read stands for them. */
function cheapest(node: PlanNode): number {
  const plain = schemaOf(node).findIndex(
    ({ type }) => layoutOf(type) === 'i64' || layoutOf(type) === 'f64',
  )
  return Math.max(0, plain)
}

/** Rows that come too late for these go to `$late` whole, to be looked at and fed in again. */
const KEEPS_ROWS_WHOLE: ReadonlySet<PlanNode['kind']> = new Set([
  'window-aggregate',
  'interval-join',
  'temporal-join',
  'over-aggregate',
  'match-recognize',
])

function neededOfInputs(node: PlanNode, asked: ReadonlySet<number>): readonly Set<number>[] {
  if (node.kind === 'union-all') return node.inputs.map(() => new Set(asked))
  if (KEEPS_ROWS_WHOLE.has(node.kind)) return inputsOf(node).map(allOf)
  if (node.kind === 'project') {
    const beneath = new Set<number>()
    for (const index of asked) collectColumns(node.expressions[index]!, beneath)
    return [beneath]
  }
  const needed = columnsRead(node)
  const inputs = inputsOf(node)
  let first = 0
  for (const input of handedOn(node)) {
    const width = schemaOf(inputs[input]!).length
    for (const index of asked) {
      if (index >= first && index < first + width) needed[input]!.add(index - first)
    }
    first += width
  }
  return needed
}

function prune(node: PlanNode, needed: Needed): Pruned {
  const asked = [...(needed.get(keyOf(node)) ?? allOf(node))].sort((a, b) => a - b)
  const kept = new Map(asked.map((old, index) => [old, index]))
  switch (node.kind) {
    case 'scan':
      return { node: { ...node, schema: asked.map((index) => node.schema[index]!) }, places: kept }
    case 'values':
      return { node, places: identity(node) }
    case 'union-all': {
      const set = new Set(asked)
      const inputs = node.inputs.map((input) => narrow(prune(input, needed), set, input))
      return {
        node: { ...node, inputs, schema: asked.map((index) => node.schema[index]!) },
        places: kept,
      }
    }
    case 'project': {
      const { node: input, places } = prune(node.input, needed)
      const expressions = asked.map((index) => mapColumns(node.expressions[index]!, moved(places)))
      return {
        node: { ...node, input, expressions, schema: asked.map((index) => node.schema[index]!) },
        places: kept,
      }
    }
    case 'rank':
    case 'window-rank':
      return withoutNumber(pruneOver(node, [prune(node.input, needed)]), node, new Set(asked))
    default:
      return pruneOver(
        node,
        inputsOf(node).map((input) => prune(input, needed)),
      )
  }
}

/** A number that nobody reads is not told: then only rows that come in and leave are. */
function withoutNumber(
  { node, places }: Pruned,
  before: Rank | WindowRank,
  asked: ReadonlySet<number>,
): Pruned {
  const number = before.schema.length - 1
  if (!before.outputsNumber || asked.has(number)) return { node, places }
  const { schema, ...rest } = node as Rank | WindowRank
  const left = new Map([...places].filter(([old]) => old !== number))
  return { node: { ...rest, outputsNumber: false, schema: schema.slice(0, -1) }, places: left }
}

/** Nodes that hand on columns of their inputs, or none: over inputs with fewer columns. */
function pruneOver(node: PlanNode, inputs: readonly Pruned[]): Pruned {
  const over = withInputs(
    moveColumns(
      node,
      (input, index) => inputs[input]!.places.get(index)!,
      schemaOf(inputs[0]!.node).length,
    ),
    inputs.map((input) => input.node),
  )
  const places = new Map<number, number>()
  const handed = handedOn(node)
  if (handed.length === 0) return { node: over, places: identity(node) }
  let before = 0
  let after = 0
  for (const input of handed) {
    for (const [old, place] of inputs[input]!.places) places.set(before + old, after + place)
    before += schemaOf(inputsOf(node)[input]!).length
    after += schemaOf(inputs[input]!.node).length
  }
  for (let own = before; own < schemaOf(node).length; own++) places.set(own, after++)
  if (!('schema' in over)) return { node: over, places }
  const schema: Field[] = []
  for (const [old, place] of places) schema[place] = schemaOf(node)[old]!
  return { node: { ...over, schema }, places }
}

function identity(node: PlanNode): ReadonlyMap<number, number> {
  return new Map(schemaOf(node).map((_, index) => [index, index]))
}

function moved(places: ReadonlyMap<number, number>): (column: ColumnExpression) => Expression {
  return (column) => ({ ...column, index: places.get(column.index)! })
}

/** Exactly the columns `asked`, in order: another query may have kept more of a shared subtree. */
function narrow({ node, places }: Pruned, asked: ReadonlySet<number>, before: PlanNode): PlanNode {
  const order = [...asked].sort((a, b) => a - b)
  const isSame =
    order.length === schemaOf(node).length && order.every((old, index) => places.get(old) === index)
  if (isSame) return node
  const fields = schemaOf(before)
  return {
    kind: 'project',
    input: node,
    expressions: order.map((old) => ({
      kind: 'column',
      index: places.get(old)!,
      type: fields[old]!.type,
    })),
    schema: order.map((old) => fields[old]!),
  }
}
