/**
 * Stable operator ids: from what an operator with state does and where it stands, so that a checkpoint finds it again.
 *
 * Names of columns count, their places do not; filters and projections beneath do not either, nor a table's options:
 * editing them keeps the state. Equal subtrees are one operator and have one id.
 */
import { createHash } from 'node:crypto'
import { inputsOf, type Pipeline, type PlanNode, type SinkNode } from './nodes.ts'
import { nodeText } from './print.ts'

/** Of every node of the pipeline. */
export function operatorIds(pipeline: Pipeline): ReadonlyMap<PlanNode | SinkNode, string> {
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
      .update(JSON.stringify([whatItDoes(node), beneath]))
      .digest('hex')
      .slice(0, 12)
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

function whatItDoes(node: PlanNode | SinkNode): string {
  if (node.kind === 'scan' || node.kind === 'sink') return `${node.kind} ${node.table.name}`
  return nodeText(node)
}

/** What an operator above sees of this place: stateless nodes are looked through. */
function placeOf(node: PlanNode | SinkNode, id: string, beneath: readonly string[]): string {
  const isSeenThrough = ['filter', 'project', 'watermark-assigner'].includes(node.kind)
  return isSeenThrough ? beneath.join(',') : id
}
