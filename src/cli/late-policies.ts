/** What becomes of rows that come behind the end of their window, for each GROUP BY over windows that does not just set them aside. */
import type { Connector } from '../connectors/contract/connector.ts'
import { intervalText } from '../plan/expression-text.ts'
import { inputsOf } from '../plan/inputs.ts'
import type { PlanNode, SinkNode } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import type { WindowEmit } from '../plan/windows.ts'
import { windowText } from './render/plan.ts'

/** A line for each such node and sink. */
export function latePolicies({ sinks }: Pipeline, connectors: readonly Connector[]): string[] {
  return sinks.flatMap((sink) => {
    const way = wayOf(sink, connectors)
    return correctedWindows(sink.input).map(({ window, emit }) => {
      const until = intervalText(BigInt(emit.latenessUs))
      const when =
        emit.lateDelayUs === undefined
          ? 'at once'
          : `gathered for ${intervalText(BigInt(emit.lateDelayUs))}`
      return `up to ${until} behind the end of ${windowText(window)} they correct ${sink.table.name}: ${way}, ${when}; windows are kept as long`
    })
  })
}

function wayOf(
  { table: { options, primaryKey = [] }, materializes }: SinkNode,
  connectors: readonly Connector[],
): string {
  const sink = connectors.find(({ name }) => name === options.connector)?.sink
  const hasKey = primaryKey.length > 0
  const isByKey = hasKey && (sink?.modes(options, hasKey).includes('upsert') ?? false)
  return isByKey && materializes === undefined ? 're-emitted, by its key' : 'retracted, -U and +U'
}

interface Corrected {
  readonly window: Extract<PlanNode, { kind: 'window-aggregate' }>['window']
  readonly emit: WindowEmit
}

function correctedWindows(node: PlanNode): readonly Corrected[] {
  const beneath = inputsOf(node).flatMap(correctedWindows)
  if (node.kind !== 'window-aggregate' || node.emit === undefined) return beneath
  const { window, emit } = node
  return emit.latenessUs === 0 ? beneath : [{ window, emit }, ...beneath]
}
