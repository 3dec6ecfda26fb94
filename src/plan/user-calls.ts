/** What a plan asks of users' functions that they can't give: an aggregate's missing method, a name of state that stands for two. */
import type { UserFunctionType } from './functions/user.ts'
import { isUserFunction, userFunctionName } from './functions/user.ts'
import { inputsOf } from './inputs.ts'
import { type AsyncCall, type PlanNode, schemaOf } from './nodes.ts'
import { traitsOf } from './traits.ts'

export interface RefusedCall {
  readonly function: string
  readonly message: string
  readonly hint: string
}

/** The first, from the bottom of `root` up. `typeOf`: by the call's id. */
export function refusedCall(
  root: PlanNode,
  typeOf: (id: string) => UserFunctionType | undefined,
): RefusedCall | undefined {
  const beneath = firstOf(inputsOf(root), (input) => refusedCall(input, typeOf))
  if (beneath !== undefined) return beneath
  if (root.kind === 'async-call') return refusedAsync(root)
  return firstOf(callsIn(root), (id) => {
    const { retracts = false, merges = false } = typeOf(id) ?? {}
    const refused = refusedIn(root, userFunctionName(id), retracts, merges)
    return refused && { ...refused, function: userFunctionName(id) }
  })
}

/** A uid that is that of two different calls of process functions. */
export function repeatedUid(roots: readonly PlanNode[]): RefusedCall | undefined {
  const calls = new Map<string, string>()
  const visit = (node: PlanNode): RefusedCall | undefined => {
    if (node.kind === 'process' && node.uid !== undefined) {
      const text = JSON.stringify(node)
      const known = calls.get(node.uid)
      if (known !== undefined && known !== text) return repeated(node.uid, node.function)
      calls.set(node.uid, text)
    }
    return firstOf(inputsOf(node), visit)
  }
  return firstOf(roots, visit)
}

function repeated(uid: string, id: string): RefusedCall {
  return {
    function: userFunctionName(id),
    message: `two different calls have the uid '${uid}'`,
    hint: 'give each a name of its own: its state is found again by it',
  }
}

function firstOf<Item, Found>(
  items: readonly Item[],
  find: (item: Item) => Found | undefined,
): Found | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** It may answer otherwise when a row is taken back, and rows of one key wait in places of their own after a restart. */
function refusedAsync({ input, function: id, lookup }: AsyncCall): RefusedCall | undefined {
  const updating = updatingNode(input)
  if (updating === undefined) return undefined
  const name = lookup?.table.name ?? userFunctionName(id)
  return {
    function: name,
    message: `${name} ${lookup === undefined ? 'is asynchronous' : 'is looked up row by row'}, and rows that it is asked for may be taken back: by ${nodeName(updating)}`,
    hint: 'ask for the rows before they are aggregated, or aggregate by windows: their rows only come',
  }
}

function callsIn(node: PlanNode): readonly string[] {
  const calls =
    node.kind === 'match-recognize'
      ? node.references.flatMap((each) => (each.kind === 'aggregate' ? [each.call] : []))
      : 'aggregates' in node
        ? node.aggregates
        : []
  return calls.map((call) => call.function).filter(isUserFunction)
}

function refusedIn(
  node: PlanNode,
  name: string,
  retracts: boolean,
  merges: boolean,
): Omit<RefusedCall, 'function'> | undefined {
  if (node.kind === 'match-recognize')
    return {
      message: `${name} aggregates rows of a match, which functions of your own can't`,
      hint: 'use COUNT, SUM, AVG, MIN or MAX there, or a function over the measures in a query around',
    }
  const [input] = inputsOf(node)
  const updating = input === undefined ? undefined : updatingNode(input)
  if (updating !== undefined && !retracts)
    return {
      message: `${name} has no retract, and rows that it aggregates may be taken back: by ${nodeName(updating)}`,
      hint: 'give the function a retract(state, ...values), or aggregate rows that only come',
    }
  if (node.kind === 'window-aggregate' && !merges && isMerged(node.window.kind))
    return {
      message: `${name} has no merge, and ${node.window.kind.toUpperCase()} windows put parts of a group together`,
      hint: 'give the function a merge(state, others), or use TUMBLE',
    }
  if (node.kind !== 'over-aggregate') return undefined
  if (node.time === undefined || updating !== undefined)
    return {
      message: `${name} with OVER needs rows in order of time, and rows that stay`,
      hint: 'order by the event time or PROCTIME(), or aggregate with GROUP BY',
    }
  if (node.frame.preceding !== undefined && !retracts)
    return {
      message: `${name} has no retract, and rows leave the bounded frame of an OVER`,
      hint: 'give the function a retract(state, ...values), or write UNBOUNDED PRECEDING',
    }
  return undefined
}

function isMerged(window: string): boolean {
  return window === 'hop' || window === 'cumulate' || window === 'session'
}

/** The node at which rows begin to be taken back; undefined if they stay. */
export function updatingNode(node: PlanNode): PlanNode | undefined {
  if (traitsOf(node).changes === 'append') return undefined
  return firstOf(inputsOf(node), updatingNode) ?? node
}

/** As people know it: 'group-aggregate of shop, orders', 'the table orders'. */
export function nodeName(node: PlanNode): string {
  if (node.kind === 'scan') return `the table ${node.table.name}`
  const columns = schemaOf(node)
    .slice(0, 3)
    .map(({ name }) => name)
  return `${node.kind} (${columns.join(', ')}${schemaOf(node).length > 3 ? ', ...' : ''})`
}
