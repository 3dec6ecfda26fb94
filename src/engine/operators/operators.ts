/** From a node of the graph to its running operator. */
import type { ChangelogMode, SinkWriter } from '../../connectors/contract/sink.ts'
import { invariant, unreachable } from '../../errors.ts'
import type { TemporalJoin, WindowAggregate, WindowTable } from '../../plan/nodes.ts'
import type { GridWindow } from '../../plan/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { OperatorGraphNode } from '../graph.ts'
import type { Operator } from '../operator.ts'
import { type AsyncPlace, asyncCalls } from './async-calls.ts'
import { type AttachedAggregate, attachedWindows } from './attached-windows.ts'
import { changelogNormalize } from './changelog-normalize.ts'
import { correlate } from './correlate.ts'
import { deduplicate, rankOfDeduplicate } from './deduplicate.ts'
import { expand } from './expand.ts'
import { filter } from './filter.ts'
import { groupAggregate } from './group-aggregate.ts'
import { intervalJoin } from './interval-join.ts'
import { join } from './join.ts'
import { latestJoin } from './latest-join.ts'
import { matchRecognize } from './match-recognize.ts'
import { overAggregate } from './over-aggregate.ts'
import { processRows } from './process-rows.ts'
import { processSets } from './process-sets.ts'
import { project } from './project.ts'
import { rank } from './rank.ts'
import { type SessionAggregate, sessionAggregate } from './session-aggregate.ts'
import { type SessionTable, sessionTable } from './session-table.ts'
import { sinkOperator } from './sink.ts'
import { sort } from './sort.ts'
import { temporalJoin, type VersionedJoin } from './temporal-join.ts'
import { temporalSort } from './temporal-sort.ts'
import { unionAll } from './union-all.ts'
import { type UpdatedAggregate, updatedWindows } from './updated-windows.ts'
import { windowAggregate } from './window-aggregate.ts'
import { windowJoin } from './window-join.ts'
import { windowRank } from './window-rank.ts'
import { windowTable } from './window-table.ts'

export interface OperatorPlace {
  /** True when the node's input takes rows back. */
  readonly inputUpdates: boolean
  /** True when a table beneath gives changes: then rows of groups may go. */
  readonly tablesChange?: boolean
  /** Of joins: the left input takes rows back. */
  readonly leftUpdates?: boolean
  /** Of joins: the right input ends by itself. */
  readonly rightEnds?: boolean
  /** Of calls of asynchronous functions. */
  readonly async?: AsyncPlace
  /** Where the node's watermark stood in the restored checkpoint. */
  readonly watermarkUs: bigint
  /** Of sink nodes. */
  readonly sink?: { readonly writer: SinkWriter; readonly mode: ChangelogMode }
}

export function operatorOf(
  { plan, filter: below, wanted }: OperatorGraphNode,
  context: OperatorContext,
  place: OperatorPlace,
): Operator {
  switch (plan.kind) {
    case 'filter':
      return filter(plan, context)
    case 'project':
      return project(plan, context, below)
    case 'window-table':
      if (isSessionTable(plan)) return sessionTable(plan, context, place.watermarkUs)
      invariant(isOnGrid(plan), 'a window table function gives windows that rows do not bear yet')
      return windowTable(plan, context)
    case 'window-aggregate':
      if (isUpdated(plan))
        return updatedWindows(plan, context, place.watermarkUs, place.inputUpdates)
      if (isAttached(plan))
        return attachedWindows(plan, context, place.watermarkUs, place.inputUpdates)
      if (isSessionAggregate(plan))
        return sessionAggregate(plan, context, place.watermarkUs, place.inputUpdates)
      invariant(isOnGrid(plan), 'windows lie on a grid if they are no sessions')
      return windowAggregate(plan, context, place.watermarkUs, place.inputUpdates, wanted)
    case 'group-aggregate':
      return groupAggregate(plan, context, place.inputUpdates)
    case 'union-all':
      return unionAll(plan)
    case 'match-recognize':
      return matchRecognize(plan, context, place.watermarkUs)
    case 'sort':
      return sort(plan, context)
    case 'window-rank':
      return windowRank(plan, context, place.watermarkUs, place.inputUpdates)
    case 'over-aggregate':
      return overAggregate(plan, context, place.watermarkUs, place.inputUpdates)
    case 'temporal-sort':
      return temporalSort(plan, context, place.watermarkUs)
    case 'rank':
      return rank(plan, context, place.inputUpdates, place.tablesChange)
    case 'expand':
      return expand(plan, context)
    case 'deduplicate':
      return place.inputUpdates
        ? rank(rankOfDeduplicate(plan), context, true)
        : deduplicate(plan, context, place.watermarkUs)
    case 'changelog-normalize':
      return changelogNormalize(plan, context)
    case 'join':
      return join(plan, context)
    case 'interval-join':
      return intervalJoin(plan, context, place.watermarkUs)
    case 'temporal-join':
      return isVersioned(plan)
        ? temporalJoin(plan, context, place.watermarkUs)
        : latestJoin(plan, context, {
            waits: place.rightEnds ?? false,
            updates: place.leftUpdates ?? place.inputUpdates,
          })
    case 'window-join':
      return windowJoin(plan, context, place.watermarkUs)
    case 'correlate':
      return correlate(plan, context)
    case 'async-call':
      invariant(place.async !== undefined, 'the place of an asynchronous call is told')
      return asyncCalls(plan, context, place.async)
    case 'process':
      return plan.table === 'set' ? processSets(plan, context) : processRows(plan, context)
    case 'sink':
      invariant(place.sink !== undefined, 'a sink node has a writer')
      return sinkOperator(plan, context.memory, place.sink.writer, place.sink.mode)
    default:
      return unreachable(plan)
  }
}

function isOnGrid<Node extends WindowAggregate | WindowTable>(
  plan: Node,
): plan is Node & { readonly window: GridWindow } {
  return plan.window.kind !== 'session' && plan.window.kind !== 'attached'
}

function isSessionTable(plan: WindowTable): plan is SessionTable {
  return plan.window.kind === 'session'
}

function isSessionAggregate(plan: WindowAggregate): plan is SessionAggregate {
  return plan.window.kind === 'session'
}

function isUpdated(plan: WindowAggregate): plan is UpdatedAggregate {
  invariant(
    plan.emit === undefined || plan.window.kind !== 'session',
    'sessions are told once, when they close',
  )
  return plan.emit !== undefined
}

function isAttached(plan: WindowAggregate): plan is AttachedAggregate {
  return plan.window.kind === 'attached'
}

function isVersioned(plan: TemporalJoin): plan is VersionedJoin {
  return plan.rightTime !== undefined
}
