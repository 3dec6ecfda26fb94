/**
 * The threads of this process that workers live in. Starting one costs 0.2 s, most of it loading the engine, so a thread whose
 * worker has closed waits for the next one: an attempt after a failure, or another pipeline.
 */
import { Worker } from 'node:worker_threads'

/** Threads that wait; beyond it they end. Each holds about 20 MB. */
const IDLE_MAX = 8

const isSource = import.meta.url.endsWith('.ts')
const ENTRY = new URL(isSource ? './worker-thread.ts' : './worker-thread.js', import.meta.url)
const idle = new Set<Worker>()

/** Lets threads start while other things are done, so that so many wait. They don't keep the process alive. */
export function startThreads(count: number): void {
  while (idle.size < Math.min(count, IDLE_MAX)) wait(newThread())
}

export function takeThread(): Worker {
  const [waiting] = idle
  if (waiting === undefined) return newThread()
  idle.delete(waiting)
  waiting.ref()
  return waiting
}

/** Only of a worker that has closed. */
export async function giveThreadBack(thread: Worker): Promise<void> {
  if (idle.size < IDLE_MAX) wait(thread)
  else await thread.terminate()
}

function newThread(): Worker {
  const thread = new Worker(ENTRY, { resourceLimits: { maxYoungGenerationSizeMb: 12 } })
  thread.on('exit', () => idle.delete(thread))
  thread.on('error', () => idle.delete(thread))
  return thread
}

function wait(thread: Worker): void {
  thread.unref()
  idle.add(thread)
}
