/**
 * Plans as short as they can be told: a projection over a projection is one, one that changes nothing is none, and groups
 * bear the names that they are selected under.
 *
 * Subtrees that are equal stay equal: what depends on who reads a subtree is decided over all its readers.
 */
import type { Schema } from '../data/types.ts'
import { mapColumns } from './columns.ts'
import type { Expression } from './expressions.ts'
import { inputsOf, withInputs } from './inputs.ts'
import { type PlanNode, type Project, schemaOf } from './nodes.ts'
import { readersOf } from './readers.ts'

type Aggregate = Extract<PlanNode, { kind: 'group-aggregate' | 'window-aggregate' }>

/** The same queries: their rows, names and types are as before. */
export function simplifyPlans(roots: readonly PlanNode[]): readonly PlanNode[] {
  const readers = readersOf(roots)
  const merged = roots.map((root) =>
    rewritten(root, (node, before) => mergedProject(node, before, readers)),
  )
  const names = namesOf(merged)
  const named = merged.map((root) =>
    rewritten(root, (node, before) => renamed(node, before, names)),
  )
  return named.map((root) => rewritten(root, withoutIdentity))
}

/** Bottom up: `change` is given each node with its inputs changed, and as it was. */
function rewritten(
  node: PlanNode,
  change: (node: PlanNode, before: PlanNode) => PlanNode,
): PlanNode {
  const inputs = inputsOf(node).map((input) => rewritten(input, change))
  return change(withInputs(node, inputs), node)
}

/** Unless something would be computed twice: by two readers, or twice in one. */
function mergedProject(
  node: PlanNode,
  before: PlanNode,
  readers: ReadonlyMap<string, number>,
): PlanNode {
  if (node.kind !== 'project') return node
  if (node.input.kind === 'filter') return overFilter(node, node.input, before, readers)
  if (node.input.kind !== 'project') return node
  const inner = node.input
  const isShared = (readers.get(JSON.stringify((before as Project).input)) ?? 1) > 1
  const uses = new Map<number, number>()
  for (const expression of node.expressions) {
    mapColumns(expression, (column) => {
      uses.set(column.index, (uses.get(column.index) ?? 0) + 1)
      return column
    })
  }
  const isDearer = inner.expressions.some(
    (expression, index) => !isFree(expression) && (isShared || (uses.get(index) ?? 0) > 1),
  )
  if (isDearer) return node
  const expressions = node.expressions.map((expression) =>
    mapColumns(expression, ({ index }) => inner.expressions[index]!),
  )
  return { ...node, input: inner.input, expressions }
}

/** A filter stands as well below a projection that only picks columns. */
function overFilter(
  node: Project,
  filter: Extract<PlanNode, { kind: 'filter' }>,
  before: PlanNode,
  readers: ReadonlyMap<string, number>,
): PlanNode {
  const inner = filter.input
  const isShared = (readers.get(JSON.stringify((before as Project).input)) ?? 1) > 1
  if (inner.kind !== 'project' || isShared || !inner.expressions.every(isFree)) return node
  const moved = (expression: Expression): Expression =>
    mapColumns(expression, ({ index }) => inner.expressions[index]!)
  const input: PlanNode = {
    ...filter,
    input: inner.input,
    condition: moved(filter.condition),
  }
  return { ...node, input, expressions: node.expressions.map(moved) }
}

function isFree({ kind }: Expression): boolean {
  return kind === 'column' || kind === 'literal'
}

/** By an aggregate's text: the names under which each of its columns is selected. */
type Names = ReadonlyMap<string, readonly ReadonlySet<string>[]>

function namesOf(roots: readonly PlanNode[]): Names {
  const names = new Map<string, Set<string>[]>()
  const texts = new Map<Aggregate, string>()
  const add = (input: PlanNode, index: number, name: string): void => {
    const aggregate = aggregateBelow(input)
    if (aggregate === undefined) return
    const text = texts.get(aggregate) ?? JSON.stringify(aggregate)
    texts.set(aggregate, text)
    const sets = names.get(text) ?? aggregate.schema.map(() => new Set())
    sets[index]!.add(name)
    names.set(text, sets)
  }
  const visit = (node: PlanNode): void => {
    if (node.kind === 'project') {
      node.expressions.forEach((expression, index) => {
        if (expression.kind === 'column')
          add(node.input, expression.index, node.schema[index]!.name)
      })
    }
    for (const input of inputsOf(node)) visit(input)
  }
  for (const root of roots) {
    // A root's own names are what it was asked for.
    schemaOf(root).forEach(({ name }, index) => {
      add(root, index, name)
    })
    visit(root)
  }
  return names
}

function aggregateBelow(node: PlanNode): Aggregate | undefined {
  switch (node.kind) {
    case 'group-aggregate':
    case 'window-aggregate':
      return node
    case 'filter':
    case 'sort':
      return aggregateBelow(node.input)
    default:
      return undefined
  }
}

function renamed(node: PlanNode, before: PlanNode, names: Names): PlanNode {
  if (node.kind !== 'group-aggregate' && node.kind !== 'window-aggregate') return node
  const told = names.get(JSON.stringify(before))
  if (told === undefined) return node
  // The window's columns keep their names.
  const own = node.keys.length + node.aggregates.length
  const schema = node.schema.map((field, index) => {
    const [name, ...others] = [...told[index]!]
    if (index >= own || name === undefined || others.length > 0) return field
    return { ...field, name }
  })
  return isUnique(schema) ? { ...node, schema } : node
}

function isUnique(schema: Schema): boolean {
  return new Set(schema.map(({ name }) => name)).size === schema.length
}

function withoutIdentity(node: PlanNode): PlanNode {
  if (node.kind !== 'project') return node
  const beneath = schemaOf(node.input)
  const isIdentity =
    node.expressions.length === beneath.length &&
    node.expressions.every(
      (expression, index) =>
        expression.kind === 'column' &&
        expression.index === index &&
        beneath[index]!.name === node.schema[index]!.name,
    )
  return isIdentity ? node.input : node
}
