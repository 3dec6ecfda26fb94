/** Ctrl-C and SIGTERM: the first asks for a checkpoint and a stop, within a stated time; the second ends at once. */

/** What a stop may take before it is given up. A pipeline that did not reach its checkpoint goes on from the last one. */
export const STOP_MS_MAX = 30_000

export interface Stopping {
  /** Resolves at the first signal. */
  readonly asked: Promise<NodeJS.Signals>
  /** Resolves at the second. */
  readonly forced: Promise<void>
  /** Signals do again what they did before. */
  dispose(): void
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']

export function listenForStop(): Stopping {
  const asked = Promise.withResolvers<NodeJS.Signals>()
  const forced = Promise.withResolvers<void>()
  let count = 0
  const onSignal = (signal: NodeJS.Signals) => {
    if (++count === 1) asked.resolve(signal)
    else forced.resolve()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return {
    asked: asked.promise,
    forced: forced.promise,
    dispose() {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}
