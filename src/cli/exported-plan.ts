/** A plan that a module of the project exports: checked, since nothing has checked what a program put together. */
import type { Connector } from '../connectors/contract/connector.ts'
import { MillraceError } from '../errors.ts'
import { inputsOf } from '../plan/inputs.ts'
import { type PlanNode, schemaOf } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { connectorOf, writtenSchema } from '../run/open-tables.ts'

/** What claims to be one; `planProblem` says whether it is. */
export function isPipeline(value: unknown): value is Pipeline {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'sinks' in value &&
    Array.isArray(value.sinks)
  )
}

/** Why it can't run; undefined if it can. */
export function planProblem(
  { name, sinks }: Pipeline,
  connectors: readonly Connector[],
): string | undefined {
  if (name.trim() === '') return 'its name is empty'
  if (sinks.length === 0) return `the pipeline ${name} writes nothing: it has no sinks`
  for (const [at, sink] of sinks.entries()) {
    try {
      const columns = writtenSchema(sink.table).length
      const given = schemaOf(sink.input).length
      visit(sink.input)
      connectorOf(sink.table, connectors)
      if (given !== columns) {
        return `sink ${sink.table.name} has ${columns} columns, and its input gives ${given}`
      }
    } catch (error) {
      if (error instanceof MillraceError && error.code !== 'INVARIANT_BROKEN') throw error
      return `sink ${at + 1} of ${name} is no plan: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}

function visit(node: PlanNode): void {
  schemaOf(node)
  for (const input of inputsOf(node)) visit(input)
}
