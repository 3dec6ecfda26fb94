/** The nodes of a dataflow whose rows wait for what is outside. */
import type { Emit, Operator } from './operator.ts'

/** 'full': nothing more should be read. */
export type Waiting = 'none' | 'some' | 'full'

export interface Outsides {
  /** Lets go what has been answered. True if there was anything. */
  wake(nowUs: bigint): boolean
  waiting(): Waiting
}

interface NodeOf {
  readonly operator: Operator | undefined
  readonly emit: Emit
}

/** `tell` tells the readers of a node how far it has come. */
export function outsidesOf<Node extends NodeOf>(
  nodes: readonly Node[],
  tell: (node: Node, index: number) => void,
): Outsides {
  const found = nodes.flatMap((node, index) => {
    const outside = node.operator?.outside
    return outside === undefined ? [] : [{ node, index, outside }]
  })
  return {
    wake(nowUs) {
      let letGo = false
      for (const { node, index, outside } of found) {
        let went = true
        while (went) {
          went = outside.wake(nowUs, node.emit)
          letGo ||= went
          // What goes on next must find readers told of the watermark before it.
          tell(node, index)
        }
      }
      return letGo
    },
    waiting() {
      if (found.some(({ outside }) => outside.isFull)) return 'full'
      return found.some(({ outside }) => outside.isWaiting) ? 'some' : 'none'
    },
  }
}
