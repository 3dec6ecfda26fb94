/** The work of one worker among several: what others sent comes before what its own sources have. */
import type { Exchanges } from './exchange.ts'
import type { StepResult, Task } from './task.ts'

export interface ExchangingTask {
  start(): void
  reflect(): void
  /** 'done': its own sources are read, and nothing is here or waits. */
  step(): StepResult | Promise<StepResult>
  /** Reads nothing more until `resume`; drains until the barriers of all workers have come. */
  barrier(): void
  readonly aligned: boolean
  resume(): void
}

export function exchangingTask(
  task: Pick<Task, 'start' | 'step' | 'reflect' | 'wake' | 'isFull'>,
  exchanges: Exchanges,
  betweenBatches?: () => void,
): ExchangingTask {
  let isStopped = false
  return {
    start() {
      task.start()
      exchanges.greet()
    },
    reflect: () => task.reflect(),
    step() {
      const moved = exchanges.flush()
      if (exchanges.aligned) return moved ? 'worked' : 'waiting'
      // Behind a barrier nothing is let go: it would be in no checkpoint.
      if (!isStopped && task.wake()) return 'worked'
      const mayReceive = isStopped || !task.isFull
      if (mayReceive && exchanges.receive()) {
        betweenBatches?.()
        return 'worked'
      }
      if (moved) return 'worked'
      if (isStopped || !exchanges.clear || !exchanges.greeted) return 'waiting'
      return task.step()
    },
    barrier() {
      isStopped = true
      exchanges.barrier()
    },
    get aligned() {
      return exchanges.aligned
    },
    resume() {
      isStopped = false
      exchanges.resume()
    },
  }
}
