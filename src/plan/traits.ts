/** What can be known of a node without running it: which changes it gives, by which columns they meet, how its state grows. */
import { unreachable } from '../errors.ts'
import type { Expression } from './expressions.ts'
import { inputsOf } from './inputs.ts'
import { type Join, type PlanNode, type Project, type Scan, schemaOf } from './nodes.ts'
import { windowColumn, windowSpec } from './window-columns.ts'

export interface NodeTraits {
  /** 'append': +I only. 'update': rows may be taken back (-U, +U, -D). */
  readonly changes: 'append' | 'update'
  /** Numbers of output columns that name a row among its changes; absent where none do. */
  readonly upsertKey?: readonly number[]
  /**
   * 'none': keeps nothing. 'windows': what is open, dropped when it fires. 'time': rows until time has passed them. 'keys': an entry
   * for every key there ever was. 'rows': all rows. 'answers': rows until they are answered from outside.
   */
  readonly state: 'none' | 'windows' | 'time' | 'keys' | 'rows' | 'answers'
}

export function traitsOf(node: PlanNode): NodeTraits {
  const inputs = inputsOf(node).map(traitsOf)
  const isUpdating = inputs.some(({ changes }) => changes === 'update')
  const changes = isUpdating ? 'update' : 'append'
  const given = isUpdating || makesChanges(node) ? 'update' : 'append'
  const key = inputs[0]?.upsertKey
  switch (node.kind) {
    case 'scan': {
      const upsertKey = primaryKeyIn(node)
      return {
        changes: node.changes === undefined ? 'append' : 'update',
        state: 'none',
        ...(upsertKey === undefined ? {} : { upsertKey }),
      }
    }
    case 'window-table':
      // Rows wait until their session has closed; other windows are known from a row alone.
      return { changes, state: node.window.kind === 'session' ? 'windows' : 'none' }
    case 'values':
    case 'union-all':
    case 'correlate':
    case 'expand':
      return { changes, state: 'none' }
    case 'watermark-assigner':
    case 'filter':
      return { changes, state: 'none', ...(key === undefined ? {} : { upsertKey: key }) }
    case 'async-call':
      return { changes, state: 'answers', ...(key && { upsertKey: key }) }
    case 'project': {
      const projected = key === undefined ? undefined : projectKey(key, node)
      return { changes, state: 'none', ...(projected && { upsertKey: projected }) }
    }
    case 'window-aggregate': {
      const columns = schemaOf(node).length
      // Keys first; the last three are window_start, window_end and window_time.
      const keys = [...node.keys.map((_, index) => index), columns - 3, columns - 2]
      return {
        changes: node.emit === undefined ? 'append' : 'update',
        state: 'windows',
        upsertKey: keys,
      }
    }
    case 'group-aggregate': {
      const upsertKey = node.keys.map((_, index) => index)
      return { changes: given, state: node.ttlUs === undefined ? 'keys' : 'time', upsertKey }
    }
    case 'sort':
    case 'match-recognize':
      return { changes: 'append', state: 'rows' }
    case 'over-aggregate':
      // By time, what is unbounded needs no rows but the last; by other columns, rows come between others.
      return {
        changes: given,
        state: node.time === undefined || node.frame.preceding !== undefined ? 'rows' : 'keys',
      }
    case 'rank':
      return { changes: 'update', state: 'rows', ...rankKey(node, key) }
    case 'window-rank':
      return { changes: 'append', state: 'windows' }
    case 'deduplicate': {
      const keys = columnIndexes(node.partition)
      return {
        changes: given,
        state: 'keys',
        ...(keys === undefined ? {} : { upsertKey: keys }),
      }
    }
    case 'changelog-normalize':
      return { changes: 'update', state: 'keys', upsertKey: node.keys }
    case 'process':
      return { changes: 'append', state: node.table === 'row' ? 'none' : 'keys' }
    case 'window-join':
      return { changes: 'append', state: 'windows' }
    case 'temporal-sort':
    case 'interval-join':
      return { changes: inputs[0]!.changes, state: 'time' }
    case 'temporal-join':
      // Of each key the version that is valid.
      return { changes: inputs[0]!.changes, state: 'keys' }
    case 'join':
      return { changes: given, ...joinTraits(node, inputs) }
    default:
      return unreachable(node)
  }
}

function joinTraits(node: Join, inputs: readonly NodeTraits[]): Omit<NodeTraits, 'changes'> {
  const upsertKey = joinKey(node, inputs)
  const isBounded = node.leftTtlUs !== undefined && node.rightTtlUs !== undefined
  return {
    state: isBounded ? 'time' : 'rows',
    ...(upsertKey === undefined ? {} : { upsertKey }),
  }
}

/** True if `node` gives changes though its inputs only add rows. */
export function makesChanges(node: PlanNode): boolean {
  switch (node.kind) {
    case 'group-aggregate':
      // DISTINCT gives each row once.
      return node.aggregates.length > 0
    case 'window-aggregate':
      return node.emit !== undefined
    case 'over-aggregate':
      return node.time === undefined
    case 'rank':
    case 'changelog-normalize':
      return true
    case 'deduplicate':
      return node.keep === 'last'
    case 'join':
      return node.type !== 'inner' && node.type !== 'semi'
    default:
      return false
  }
}

/** undefined if one of its columns is not read. */
function primaryKeyIn({ table, schema }: Scan): readonly number[] | undefined {
  if (table.primaryKey === undefined || table.primaryKey.length === 0) return undefined
  const places = table.primaryKey.map((key) => schema.findIndex(({ name }) => name === key))
  return places.includes(-1) ? undefined : places
}

/** Where the key's columns went, as they were or widened; undefined if one of them is gone. */
function projectKey(
  key: readonly number[],
  { input, expressions }: Project,
): readonly number[] | undefined {
  const places = key.map((column) => {
    const place = placeOf(column, expressions)
    return place < 0 ? placeOfTwin(column, input, expressions) : place
  })
  return places.includes(-1) ? undefined : [...new Set(places)]
}

function placeOf(column: number, expressions: readonly Expression[]): number {
  return expressions.findIndex((each) => {
    const kept = each.kind === 'cast' && widens(each) ? each.input : each
    return kept.kind === 'column' && kept.index === column
  })
}

/** Windows of one size are told by their start alone, or their end. */
function placeOfTwin(column: number, input: PlanNode, expressions: readonly Expression[]): number {
  const gone = windowColumn(input, column)
  if (gone === undefined || !/^(tumble|hop)$/.test(windowSpec(gone.origin).kind)) return -1
  return expressions.findIndex((each) => {
    const kept = each.kind === 'column' ? windowColumn(input, each.index) : undefined
    return kept?.origin === gone.origin && kept.path === gone.path
  })
}

const INTEGERS: readonly string[] = ['tinyint', 'smallint', 'int', 'bigint']

/** True if different values stay different, so that what named a row still does: as Flink's planner has it. */
function widens({ input, type: to }: Extract<Expression, { kind: 'cast' }>): boolean {
  const from = input.type
  const isText = (kind: string): boolean => kind === 'char' || kind === 'varchar'
  if (INTEGERS.includes(from.kind) && INTEGERS.includes(to.kind))
    return INTEGERS.indexOf(from.kind) <= INTEGERS.indexOf(to.kind)
  if (isText(from.kind) && to.kind === 'varchar')
    return 'length' in from && from.length <= to.length
  return false
}

/** A row is named by its partition and its number, or by the key it had if that is all there is. */
function rankKey(
  node: Extract<PlanNode, { kind: 'rank' }>,
  upsertKey: readonly number[] | undefined,
): { upsertKey?: readonly number[] } {
  const partition = columnIndexes(node.partition)
  if (partition !== undefined && node.function === 'ROW_NUMBER') {
    if (node.outputsNumber) return { upsertKey: [...partition, node.schema.length - 1] }
    if (node.from === 1 && node.to === 1 && partition.length > 0) return { upsertKey: partition }
  }
  return upsertKey === undefined ? {} : { upsertKey }
}

/** Both sides' keys together; of the left side alone where no more than one right row meets a left one. */
function joinKey(node: Join, [left, right]: readonly NodeTraits[]): readonly number[] | undefined {
  if (node.type === 'semi' || node.type === 'anti') return left!.upsertKey
  const width = schemaOf(node.left).length
  const isCovered = (key: readonly number[] | undefined, by: readonly Expression[]): boolean =>
    key?.every((index) => columnIndexes(by)?.includes(index)) ?? false
  const ofRight = right!.upsertKey?.map((index) => width + index)
  if (isCovered(right!.upsertKey, node.rightKeys) && ['inner', 'left'].includes(node.type))
    return left!.upsertKey
  if (isCovered(left!.upsertKey, node.leftKeys) && ['inner', 'right'].includes(node.type))
    return ofRight
  if (left!.upsertKey === undefined || ofRight === undefined) return undefined
  return [...left!.upsertKey, ...ofRight]
}

/** undefined if one of them is computed. */
function columnIndexes(expressions: readonly Expression[]): readonly number[] | undefined {
  const indexes = expressions.map((each) => (each.kind === 'column' ? each.index : -1))
  return indexes.includes(-1) ? undefined : indexes
}
