/** Who reads what in plans in which equal subtrees are one. */
import { inputsOf } from './inputs.ts'
import type { PlanNode, SinkNode } from './nodes.ts'

/** How many different nodes read a subtree, by its text; each root is read once more. */
export function readersOf(roots: readonly (PlanNode | SinkNode)[]): ReadonlyMap<string, number> {
  const readers = new Map<string, Set<string>>()
  const visit = (node: PlanNode | SinkNode, reader: string): void => {
    const text = JSON.stringify(node)
    const known = readers.get(text)
    readers.set(text, (known ?? new Set()).add(reader))
    if (known === undefined) for (const input of inputsOf(node)) visit(input, text)
  }
  roots.forEach((root, index) => {
    visit(root, `${index}`)
  })
  return new Map([...readers].map(([text, set]) => [text, set.size]))
}
