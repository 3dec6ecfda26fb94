/** What an operator works with that runs alone in a benchmark: nothing is late or dead, and no clock goes. */
import type { LinearMemory } from '../src/data/memory.ts'
import type { OperatorContext } from '../src/engine/evaluation.ts'

export function benchContext(memory: LinearMemory): OperatorContext {
  return {
    node: 'bench',
    memory,
    settings: { timeZone: 'UTC', overflow: 'wrap' },
    side: { late() {}, dead() {} },
    nowUs: () => 0n,
    count() {},
  }
}
