/**
 * The work of one worker: reads its splits, the one whose time is behind first, and runs each batch through the dataflow before
 * it reads the next. Everything is synchronous but the sources' waits; between steps a checkpoint may be taken.
 */
import type { PolledNow, PollLimit } from '../connectors/contract/source.ts'
import type { LinearMemory } from '../data/memory.ts'
import type { Clock } from '../ports/clock.ts'
import type { Dataflow } from './dataflow.ts'
import type { Reflection } from './reflected.ts'
import { nextToRead, type SourceSplit } from './source-split.ts'
import type { SourceStage } from './source-stage.ts'

export interface TaskSource {
  /** The graph's number of its node. */
  readonly node: number
  readonly splits: readonly SourceSplit[]
  readonly stage: SourceStage
  /** Absent where rows are reflected at once. */
  readonly reflection: Reflection | undefined
  /** `--until end` ends a split at its `until`; `--until now` only leaves it. */
  readonly endsAtUntil: boolean
}

export interface TaskOptions {
  readonly memory: LinearMemory
  readonly clock: Clock
  readonly dataflow: Dataflow
  readonly sources: readonly TaskSource[]
  readonly rowsMax: number
  /** A split at its end for so long does not hold the watermark; undefined: it always does. */
  readonly idleTimeoutMs: number | undefined
  /** A source whose splits are all idle has the clock's time, less the delay of its watermark. */
  readonly idleFollowsClock: boolean
  /** Called between batches. */
  readonly betweenBatches?: () => void
}

/** 'worked': there may be more at once. 'waiting': nothing now. 'done': every split has been read to its `until` or its end. */
export type StepResult = 'worked' | 'waiting' | 'done'

/** How often a split at its end is looked at again while others are busy. */
const LOOK_AGAIN_MS = 2

export class Task {
  readonly #options: TaskOptions
  readonly #splits: readonly SourceSplit[]
  readonly #sourceOf = new Map<SourceSplit, TaskSource>()
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor(options: TaskOptions) {
    this.#options = options
    this.#splits = options.sources.flatMap(({ splits }) => splits)
    for (const source of options.sources) {
      for (const split of source.splits) this.#sourceOf.set(split, source)
    }
  }

  /** Before the first step: sources without splits have ended. */
  start(): void {
    for (const source of this.#options.sources) this.#settle(source)
  }

  /** Tells each split how far its rows are reflected: before its position is saved. */
  reflect(): void {
    for (const { reflection } of this.#options.sources) reflection?.note()
  }

  /** Operators that ask what is outside let go what has been answered. True if one did. */
  wake(): boolean {
    const { dataflow, memory, clock } = this.#options
    if (dataflow.waiting() === 'none') return false
    const mark = memory.arena.mark()
    const letGo = dataflow.wake(BigInt(Math.floor(clock.nowMs())) * 1000n)
    memory.arena.release(mark)
    return letGo
  }

  /** What waits for what is outside is so much that nothing more should come. */
  get isFull(): boolean {
    return this.#options.dataflow.waiting() === 'full'
  }

  /** The next step looks at splits at their end, however lately that was done. */
  lookNow(): void {
    this.#lookedMs = Number.NEGATIVE_INFINITY
  }

  /** Reads and runs one batch, if there is one. */
  step(): StepResult | Promise<StepResult> {
    if (this.wake()) return 'worked'
    const mark = this.#options.memory.arena.mark()
    this.#lookAgain()
    const split = this.isFull ? undefined : nextToRead(this.#splits)
    if (split === undefined) {
      const worked = !this.isFull && this.#options.dataflow.idle()
      this.#options.memory.arena.release(mark)
      if (worked) return 'worked'
      return this.#isDone() ? 'done' : 'waiting'
    }
    const limit: PollLimit = {
      rowsMax: this.#options.rowsMax,
      waitMs: 0,
      ...(split.until === undefined ? {} : { until: split.until }),
    }
    const polled = split.reader.poll(limit)
    if (polled instanceof Promise) return polled.then((later) => this.#accept(split, later, mark))
    return this.#accept(split, polled, mark)
  }

  #accept(split: SourceSplit, polled: PolledNow, mark: number): StepResult {
    const source = this.#sourceOf.get(split)!
    if (polled === undefined) this.#reachedEnd(source, split)
    else if (polled === 'ended') this.#ended(source, split)
    else if (polled === 'waiting') {
      split.state = 'waiting'
      split.trouble = split.reader.trouble
    } else {
      split.trouble = undefined
      split.idle = false
      split.atEndSinceMs = 0
      split.rowsRead += polled.batch.count + polled.dead.length
      split.lag = polled.lag
      const latestUs = source.stage.accept(split, polled)
      if (latestUs !== undefined) source.reflection?.read(split, split.position, latestUs)
      split.position = polled.next
    }
    this.#options.memory.arena.release(mark)
    this.#options.betweenBatches?.()
    return 'worked'
  }

  #reachedEnd(source: TaskSource, split: SourceSplit): void {
    if (split.until !== undefined) {
      this.#ended(source, split)
      return
    }
    split.state = 'at-end'
    if (split.atEndSinceMs === 0) split.atEndSinceMs = this.#options.clock.monotonicMs()
  }

  /** The source has no more, or none before `until`. */
  #ended(source: TaskSource, split: SourceSplit): void {
    const isEnd = source.endsAtUntil || split.until === undefined
    split.state = isEnd ? 'ended' : 'done'
    // What was empty for the whole run must not hold the others; what had rows may have more just behind them.
    split.idle = isEnd || split.rowsRead === 0
    this.#settle(source)
  }

  #settle({ node, splits, stage }: TaskSource): void {
    stage.settle()
    const ended = splits.every(({ state }) => state === 'ended')
    const idle = splits.every((split) => split.idle)
    this.#options.dataflow.progress(node, { watermarkUs: stage.combinedUs, idle, ended })
  }

  /** Splits at their end are tried again, and become idle after a while. */
  #lookAgain(): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#lookedMs < LOOK_AGAIN_MS) return
    this.#lookedMs = nowMs
    const { idleTimeoutMs } = this.#options
    for (const split of this.#splits) {
      if (split.state !== 'at-end') {
        if (split.state === 'waiting') split.state = 'reading'
        split.atEndSinceMs = 0
        continue
      }
      split.state = 'reading'
      const isIdle = idleTimeoutMs !== undefined && nowMs - split.atEndSinceMs >= idleTimeoutMs
      if (!isIdle || split.idle) continue
      split.idle = true
      this.#settle(this.#sourceOf.get(split)!)
    }
    this.#options.dataflow.clock(BigInt(Math.floor(this.#options.clock.nowMs())) * 1000n)
    if (this.#options.idleFollowsClock) this.#followClock()
  }

  #followClock(): void {
    const nowUs = BigInt(Math.floor(this.#options.clock.nowMs())) * 1000n
    for (const source of this.#options.sources) {
      const { splits, stage } = source
      const waits = splits.some(({ state }) => state !== 'ended' && state !== 'done')
      if (!waits || !splits.every(({ idle }) => idle)) continue
      if (stage.followClock(nowUs)) this.#settle(source)
    }
  }

  #isDone(): boolean {
    if (this.#options.dataflow.waiting() !== 'none') return false
    return this.#splits.every(({ state }) => state === 'ended' || state === 'done')
  }
}
