/**
 * Stable operator ids: from what an operator with state does and where it stands, so that a checkpoint finds it again.
 *
 * Names and types of columns count, their places do not; filters and projections beneath do not either, nor a table's options:
 * editing them keeps the state. Equal subtrees are one operator and have one id. What is told here never changes its form: checkpoints
 * of earlier releases are found by it.
 */
import { createHash } from 'node:crypto'
import type { Schema } from '../data/types.ts'
import { mapAggregate, mapColumns } from './columns.ts'
import type { Expression } from './expressions.ts'
import { userFunctionPlace } from './functions/user.ts'
import { inputsOf } from './inputs.ts'
import { type PlanNode, type Process, type SinkNode, schemaOf } from './nodes.ts'
import type { Pipeline } from './pipeline.ts'
import { columnsRead, moveColumns } from './shape.ts'

/** Of every node of the pipeline. */
export function operatorIds(
  pipeline: Pick<Pipeline, 'sinks'>,
): ReadonlyMap<PlanNode | SinkNode, string> {
  const ids = new Map<PlanNode | SinkNode, string>()
  const byContent = new Map<string, string>()
  const taken = new Map<string, number>()
  const visit = (node: PlanNode | SinkNode): string => {
    const beneath = inputsOf(node).map(visit)
    const content = JSON.stringify(node)
    const known = byContent.get(content)
    if (known !== undefined) {
      ids.set(node, known)
      return placeOf(node, known, beneath)
    }
    const hash = createHash('sha256')
      .update(JSON.stringify([whatItDoes(node), isNamed(node) ? [] : beneath]))
      .digest('hex')
      .slice(0, 16)
    const plain = `${node.kind}-${hash}`
    const count = (taken.get(plain) ?? 0) + 1
    taken.set(plain, count)
    const id = count === 1 ? plain : `${plain}-${count}`
    byContent.set(content, id)
    ids.set(node, id)
    return placeOf(node, id, beneath)
  }
  for (const sink of pipeline.sinks) visit(sink)
  return ids
}

/** JSON: all that the meaning of a node's state hangs on. */
function whatItDoes(node: PlanNode | SinkNode): unknown {
  switch (node.kind) {
    case 'scan':
    case 'sink':
      return node.table.name
    case 'values':
      return [node.schema, node.rows]
    case 'watermark-assigner': {
      const schema = schemaOf(node.input)
      return [schema[node.rowtime]!.name, named(node.watermark, schema)]
    }
    case 'filter':
      return named(node.condition, schemaOf(node.input))
    case 'project': {
      const schema = schemaOf(node.input)
      return node.expressions.map((each, index) => [node.schema[index]!.name, named(each, schema)])
    }
    case 'window-table':
      return [node.window, schemaOf(node.input)[node.time]!.name]
    case 'window-aggregate':
      return [node.window, schemaOf(node.input)[node.time]!.name, grouping(node)]
    case 'group-aggregate':
      return grouping(node)
    case 'union-all':
      return node.schema.map(({ type }) => type)
    case 'window-rank':
    case 'over-aggregate':
    case 'rank':
    case 'deduplicate':
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
    case 'correlate':
    case 'expand':
    case 'match-recognize':
    case 'changelog-normalize':
    case 'temporal-sort':
      return ofNamedColumns(node)
    case 'async-call': {
      if (node.lookup !== undefined)
        return [
          node.lookup.table.name,
          schemaOf(node.input).map((_, index) => told(schemaOf(node.input), index)),
        ]
      // Rows wait for an answer, whichever version of the function gives it.
      const schema = schemaOf(node.input)
      const { module, export: name } = userFunctionPlace(node.function)
      return [module, name, schema.map((_, index) => told(schema, index))]
    }
    case 'process':
      return node.uid === undefined ? ofNamedColumns(node) : ofItsName(node)
    case 'sort': {
      const schema = schemaOf(node.input)
      const keys = node.keys.map((key) => ({ ...key, expression: named(key.expression, schema) }))
      return [keys, node.limit ?? null, node.offset ?? null]
    }
  }
}

/** Its state has a name of its own, wherever it stands. */
function isNamed(node: PlanNode | SinkNode): boolean {
  return node.kind === 'process' && node.uid !== undefined
}

function ofItsName({ uid, function: name, partition, state }: Process): unknown {
  return [uid, name, partition.map(({ type }) => type), state]
}

/** All of a node but its inputs and its columns' own places: those that it reads stand by name. */
function ofNamedColumns(node: PlanNode): unknown {
  const inputs = inputsOf(node).map(schemaOf)
  const read = columnsRead(node)
  // Columns in the order of their names, so that no place is told.
  const places = inputs.map((schema, input) => {
    const byName = [...read[input]!].sort((a, b) => compareText(told(schema, a), told(schema, b)))
    return new Map(byName.map((index, place) => [index, place]))
  })
  const moved = moveColumns(node, (input, index) => places[input]!.get(index)!, places[0]!.size)
  const {
    input: _,
    left: __,
    right: ___,
    schema: ____,
    ...rest
  } = { ...moved } as Record<string, unknown>
  return [
    rest,
    places.map((map, input) => [...map.keys()].map((index) => told(inputs[input]!, index))),
  ]
}

function told(schema: Schema, index: number): string {
  return `${schema[index]!.name} ${JSON.stringify(schema[index]!.type)}`
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function grouping(
  node: Extract<PlanNode, { kind: 'window-aggregate' | 'group-aggregate' }>,
): unknown {
  const schema = schemaOf(node.input)
  return [
    node.keys.map((key) => named(key, schema)),
    node.aggregates.map((call) => mapAggregate(call, byName(schema))),
  ]
}

function named(expression: Expression, schema: Schema): unknown {
  return mapColumns(expression, byName(schema))
}

/** A column by its name and type, wherever it stands. */
function byName(
  schema: Schema,
): (column: { index: number; type: Expression['type'] }) => Expression {
  return ({ index, type }) => ({
    kind: 'call',
    function: `column ${schema[index]!.name}`,
    args: [],
    type,
  })
}

const SEEN_THROUGH: readonly string[] = ['filter', 'project', 'watermark-assigner', 'async-call']

/** What an operator above sees of this place: stateless nodes are looked through. */
function placeOf(node: PlanNode | SinkNode, id: string, beneath: readonly string[]): string {
  const isSeenThrough = SEEN_THROUGH.includes(node.kind)
  return isSeenThrough ? beneath.join(',') : id
}
