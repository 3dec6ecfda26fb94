/**
 * What becomes of a pipeline's state when its text changes: an operator is found again by what it does and where it stands
 * (identity.ts); one that is not found begins empty, and the state of one that is gone has no owner any more.
 */
import { aggregateText, expressionText } from './expression-text.ts'
import { typeText } from './functions/type-text.ts'
import { userFunctionPlace } from './functions/user.ts'
import { operatorIds } from './identity.ts'
import { inputsOf } from './inputs.ts'
import { columnsDiffer, keptColumns } from './kept-columns.ts'
import { type PlanNode, type SinkNode, schemaOf } from './nodes.ts'
import type { Pipeline } from './pipeline.ts'
import { traitsOf } from './traits.ts'

/** A sink keeps rows where several of them may bear one primary key. */
type Stateful = PlanNode | SinkNode

export interface Upgrade {
  /** Operators that go on with their state. */
  readonly kept: readonly Stateful[]
  /** Operators whose meaning has changed: state of the old one means something else. */
  readonly changed: readonly {
    readonly before: Stateful
    readonly after: Stateful
    readonly because: readonly string[]
  }[]
  /** Operators that begin empty. */
  readonly added: readonly Stateful[]
  /** Operators that are gone: a restore is refused unless their state is given up. */
  readonly removed: readonly Stateful[]
  /** Users' functions of another version than before: what was computed with the old one stays as it is. */
  readonly functions: readonly {
    readonly name: string
    readonly before: string
    readonly after: string
  }[]
}

export function upgradeOf(
  before: Pick<Pipeline, 'sinks'>,
  after: Pick<Pipeline, 'sinks'>,
): Upgrade {
  const old = stateful(before)
  const now = stateful(after)
  const found = [...now].filter(([id]) => old.has(id))
  const other = found.flatMap(([id, node]) => {
    const twin = old.get(id)!
    const because = columnsDiffer(keptColumns(twin) ?? [], keptColumns(node) ?? [])
    return because.length === 0 ? [] : [{ before: twin, after: node, because }]
  })
  const kept = found
    .map(([, node]) => node)
    .filter((node) => other.every(({ after: twin }) => twin !== node))
  const gone = [...old].filter(([id]) => !now.has(id)).map(([, node]) => node)
  const fresh = [...now].filter(([id]) => !old.has(id)).map(([, node]) => node)
  const changed = fresh.flatMap((node) => {
    const at = gone.findIndex((each) => each.kind === node.kind)
    if (at < 0) return []
    const [twin] = gone.splice(at, 1)
    return [{ before: twin!, after: node, because: differences(twin!, node) }]
  })
  const added = fresh.filter((node) => !changed.some(({ after: twin }) => twin === node))
  const functions = otherVersions(before, after)
  return { kept, changed: [...other, ...changed], added, removed: gone, functions }
}

function otherVersions(before: unknown, after: unknown): Upgrade['functions'] {
  const now = versionsIn(after)
  return [...versionsIn(before)].flatMap(([place, { name, version }]) => {
    const told = now.get(place)
    if (told === undefined || told.version === version) return []
    return [{ name, before: version, after: told.version }]
  })
}

/** By module and export. */
function versionsIn(plan: unknown): ReadonlyMap<string, { name: string; version: string }> {
  const ids = JSON.stringify(plan).matchAll(/"function":"(USER [^"]*)"/g)
  return new Map(
    [...ids].map(([, id]) => {
      const { module, export: name, version } = userFunctionPlace(id!)
      return [`${module}#${name}`, { name, version }]
    }),
  )
}

/** Operators that keep something, by id, each once. */
function stateful(pipeline: Pick<Pipeline, 'sinks'>): ReadonlyMap<string, Stateful> {
  const ids = operatorIds(pipeline)
  const found = new Map<string, Stateful>()
  const visit = (node: PlanNode): void => {
    if (traitsOf(node).state !== 'none') found.set(ids.get(node)!, node)
    for (const input of inputsOf(node)) visit(input)
  }
  for (const sink of pipeline.sinks) {
    if (sink.materializes) found.set(ids.get(sink)!, sink)
    visit(sink.input)
  }
  return found
}

/** What differs between two operators of a kind, in words. */
function differences(before: Stateful, after: Stateful): readonly string[] {
  const told = [
    ...listed('key', keysIn(before), keysIn(after)),
    ...listed('aggregate', aggregatesIn(before), aggregatesIn(after)),
    ...windowDiffers(before, after),
    ...typesDiffer(before, after),
  ]
  return told.length > 0 ? told : ['what it does, or what stands beneath it, has changed']
}

function listed(what: string, before: readonly string[], after: readonly string[]): string[] {
  const added = after
    .filter((each) => !before.includes(each))
    .map((each) => `${what} ${each} added`)
  const gone = before.filter((each) => !after.includes(each)).map((each) => `${what} ${each} gone`)
  return [...added, ...gone]
}

function keysIn(node: Stateful): readonly string[] {
  const keys =
    'keys' in node && (node.kind === 'group-aggregate' || node.kind === 'window-aggregate')
      ? node.keys
      : 'partition' in node
        ? node.partition
        : 'leftKeys' in node
          ? node.leftKeys
          : []
  return keys.map((key) => expressionText(key, schemaOf(inputsOf(node)[0]!)))
}

function aggregatesIn(node: Stateful): readonly string[] {
  if (!('aggregates' in node)) return []
  return node.aggregates.map((call) => aggregateText(call, schemaOf(node.input)))
}

function windowDiffers(before: Stateful, after: Stateful): string[] {
  if (!('window' in before) || !('window' in after)) return []
  const isSame = JSON.stringify(before.window) === JSON.stringify(after.window)
  return isSame ? [] : ['the window differs']
}

/** Columns of one name whose type is another. */
function typesDiffer(before: Stateful, after: Stateful): string[] {
  const old = new Map(inputsOf(before).flatMap((input) => schemaOf(input).map(told)))
  return inputsOf(after)
    .flatMap((input) => schemaOf(input).map(told))
    .flatMap(([name, type]) => {
      const was = old.get(name)
      return was === undefined || was === type ? [] : [`column ${name} was ${was} and is ${type}`]
    })
}

function told(field: ReturnType<typeof schemaOf>[number]): readonly [string, string] {
  return [field.name, typeText(field.type)]
}
