/** Which columns of a plan's node still are time: event time, that a watermark follows, or the machine's (PROCTIME()). */
import { unreachable } from '../errors.ts'
import type { Expression } from './expressions.ts'
import { type MatchRecognize, type PlanNode, schemaOf } from './nodes.ts'
import type { TimeDomain } from './windows.ts'

/** Indexes of columns that are event time. A window table function leaves window_time as the only one. */
export function timeAttributesOf(node: PlanNode): ReadonlySet<number> {
  return timesOf(node, 'event')
}

/** Indexes of columns that are PROCTIME(). */
export function processingTimesOf(node: PlanNode): ReadonlySet<number> {
  return timesOf(node, 'processing')
}

/** The domain that column `index` is time of. */
export function timeDomainOf(node: PlanNode, index: number): TimeDomain | undefined {
  if (timesOf(node, 'event').has(index)) return 'event'
  return timesOf(node, 'processing').has(index) ? 'processing' : undefined
}

function timesOf(node: PlanNode, domain: TimeDomain): ReadonlySet<number> {
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'group-aggregate':
    case 'rank':
    case 'join':
    case 'sort':
      return new Set()
    case 'watermark-assigner':
      return domain === 'event' ? new Set([node.rowtime]) : timesOf(node.input, domain)
    case 'filter':
    case 'over-aggregate':
    case 'deduplicate':
    case 'changelog-normalize':
    case 'window-rank':
    case 'correlate':
    case 'async-call':
    case 'temporal-sort':
      return timesOf(node.input, domain)
    case 'temporal-join':
      return timesOf(node.left, domain)
    case 'interval-join':
    case 'window-join': {
      const width = schemaOf(node.left).length
      const isOneSided = node.type === 'semi' || node.type === 'anti'
      const right = isOneSided ? [] : [...timesOf(node.right, domain)]
      return new Set([...timesOf(node.left, domain), ...right.map((index) => width + index)])
    }
    case 'project':
      return passedOn(node.expressions, timesOf(node.input, domain), domain)
    case 'match-recognize':
      return new Set(
        node.measures.flatMap((measure, index) =>
          isMatchTime(node, measure) && domain === 'event'
            ? [node.partition.length + (node.allRows?.before.length ?? 0) + index]
            : [],
        ),
      )
    case 'expand': {
      const beneath = timesOf(node.input, domain)
      const sets = node.projections.map((expressions) => passedOn(expressions, beneath, domain))
      return new Set([...sets[0]!].filter((index) => sets.every((set) => set.has(index))))
    }
    case 'process':
      return new Set(domain === 'event' && node.time !== undefined ? [node.schema.length - 1] : [])
    case 'window-table':
    case 'window-aggregate': {
      const isOfDomain = (node.timeDomain ?? 'event') === domain
      return new Set(isOfDomain ? [schemaOf(node).length - 1] : [])
    }
    case 'union-all': {
      const [first, ...rest] = node.inputs.map((input) => timesOf(input, domain))
      return new Set([...(first ?? [])].filter((index) => rest.every((set) => set.has(index))))
    }
    default:
      return unreachable(node)
  }
}

/** MATCH_ROWTIME(): the time of the match's last row. */
function isMatchTime(node: MatchRecognize, measure: Expression): boolean {
  if (measure.kind !== 'column' || node.timeDomain === 'processing') return false
  const reference = node.references[measure.index - node.partition.length]
  return (
    reference?.kind === 'last' &&
    (node.allRows === undefined || reference.final === true) &&
    reference.shift === undefined &&
    reference.variable === undefined &&
    reference.offset === 0 &&
    reference.expression.kind === 'column' &&
    reference.expression.index === node.time
  )
}

function passedOn(
  expressions: readonly Expression[],
  beneath: ReadonlySet<number>,
  domain: TimeDomain,
): ReadonlySet<number> {
  const isTime = (expression: Expression): boolean =>
    expression.kind === 'column'
      ? beneath.has(expression.index)
      : domain === 'processing' && expression.kind === 'call' && expression.function === 'PROCTIME'
  return new Set(expressions.flatMap((expression, index) => (isTime(expression) ? [index] : [])))
}
