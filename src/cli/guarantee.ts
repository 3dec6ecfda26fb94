/** What a pipeline promises end to end, and why: from what its sources replay and its sinks commit. Printed before it starts. */
import type { Connector } from '../connectors/contract/connector.ts'
import { inputsOf } from '../plan/inputs.ts'
import type { PlanNode, Scan } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'

export interface Guarantee {
  readonly kind: 'exactly-once' | 'at-least-once'
  /** One line a source and sink: what it is, what it gives. */
  readonly because: readonly string[]
  /** What one should know besides; empty for most. */
  readonly notes: readonly string[]
}

const REPLAY_TEXT = {
  exact: 'reads again exactly what it read',
  'may-repeat': 'may repeat rows when it reads again',
  impossible: "can't read again",
} as const

/** Connectors that are missing are the planner's to refuse: they count as the weakest here. */
export function guaranteeOf(pipeline: Pipeline, connectors: readonly Connector[]): Guarantee {
  const find = (options: Readonly<Record<string, string>>) =>
    connectors.find(({ name }) => name === options.connector)
  const sources = scansOf(pipeline).map(({ table }) => ({
    name: table.name,
    connector: table.options.connector ?? '?',
    replay: find(table.options)?.source?.replay ?? ('impossible' as const),
  }))
  const sinks = pipeline.sinks.map(({ table }) => ({
    name: table.name,
    connector: table.options.connector ?? '?',
    guarantee: sinkGuarantee(find(table.options), table.options),
  }))
  const holds =
    sources.every(({ replay }) => replay === 'exact') &&
    sinks.every(({ guarantee }) => guarantee === 'exactly-once')
  return {
    kind: holds ? 'exactly-once' : 'at-least-once',
    because: [
      ...sources.map(
        (source) => `${source.name} (${source.connector}) ${REPLAY_TEXT[source.replay]}`,
      ),
      ...sinks.map((sink) => `${sink.name} (${sink.connector}) ${sinkText(sink.guarantee)}`),
    ],
    notes:
      new Set(sinks.map(({ name }) => name)).size > 1
        ? ['its tables become visible one after another, each whole']
        : [],
  }
}

function sinkGuarantee(
  connector: Connector | undefined,
  options: Readonly<Record<string, string>>,
): Guarantee['kind'] {
  const sink = connector?.sink
  return sink?.guaranteeOf?.(options) ?? sink?.guarantee ?? 'at-least-once'
}

function sinkText(guarantee: 'exactly-once' | 'at-least-once'): string {
  return guarantee === 'exactly-once'
    ? 'commits each row once'
    : 'shows rows at once: after a failure some come twice'
}

/** Every table that is read, once, in the order of first appearance. */
export function scansOf(pipeline: Pipeline): Scan[] {
  const found = new Map<string, Scan>()
  const visit = (node: PlanNode) => {
    if (node.kind === 'scan' && !found.has(node.table.name)) found.set(node.table.name, node)
    for (const input of inputsOf(node)) visit(input)
  }
  for (const { input } of pipeline.sinks) visit(input)
  return [...found.values()]
}
