/** The fewest steps that still fail: pieces are left out, half of them first, then each alone, until none can be. */
import { type History, isArrival, type Step } from './steps.ts'

/** Is told a history that may fail. */
export type StillFails = (history: History) => Promise<boolean>

const ATTEMPTS_MAX = 600
/** Of a failure that comes by chance: a candidate that has not failed so often does not fail. */
const TRIES = 4

export async function shrink(
  history: History,
  stillFails: StillFails,
  isChanging: (table: string) => boolean,
): Promise<History> {
  let least = history
  let attempts = 0
  const isSteady = (await stillFails(history)) && (await stillFails(history))
  const isKept = async (candidate: History): Promise<boolean> => {
    for (let tries = isSteady ? 1 : TRIES; tries > 0 && attempts < ATTEMPTS_MAX; tries--) {
      attempts++
      if (await stillFails(candidate)) return true
    }
    return false
  }
  for (const circumstances of simpler(history)) {
    const candidate = { ...least, circumstances: { ...least.circumstances, ...circumstances } }
    if (await isKept(candidate)) least = candidate
  }
  for (let size = Math.ceil(least.steps.length / 2); size >= 1; ) {
    const before = least.steps.length
    for (let from = 0; from < least.steps.length; ) {
      const left = [...least.steps.slice(0, from), ...least.steps.slice(from + size)]
      const candidate = { ...least, steps: withoutOrphans(left, isChanging) }
      if (await isKept(candidate)) least = candidate
      else from += size
    }
    const isDone = size === 1 && least.steps.length === before
    if (isDone) break
    size = Math.max(1, size >> 1)
  }
  return plainer(least, isKept)
}

function simpler({ circumstances }: History): readonly Partial<History['circumstances']>[] {
  return [{ gathers: false, rowsMax: 1 }, { ringBytes: 4096 }, { workers: 1 }].filter(
    (each) => JSON.stringify({ ...circumstances, ...each }) !== JSON.stringify(circumstances),
  )
}

/** The same steps, each as plain as it may be. */
async function plainer(
  history: History,
  isKept: (candidate: History) => Promise<boolean>,
): Promise<History> {
  let least = history
  for (const index of history.steps.keys()) {
    for (const step of plainerSteps(least.steps[index]!)) {
      const candidate = { ...least, steps: least.steps.with(index, step) }
      if (!(await isKept(candidate))) continue
      least = candidate
      break
    }
  }
  return least
}

function plainerSteps(step: Step): readonly Step[] {
  if (step.kind === 'event') return step.split === 0 ? [] : [{ ...step, split: 0 }]
  if (step.kind !== 'crash') return []
  const { at, nth, workers, ...now } = step
  if (at === undefined) return workers === undefined ? [] : [now]
  return [now, { ...now, at }, { ...now, at, ...(nth === undefined ? {} : { nth }) }]
}

/** Without rows of changing tables that take back what never came. */
export function withoutOrphans(
  steps: readonly Step[],
  isChanging: (table: string) => boolean,
): readonly Step[] {
  const held = new Map<string, number>()
  return steps.filter((step) => {
    if (!isArrival(step) || !isChanging(step.table)) return true
    const key = `${step.table} ${step.text}`
    const count = held.get(key) ?? 0
    const comes = step.change === '+I' || step.change === '+U'
    if (!comes && count === 0) return false
    held.set(key, comes ? count + 1 : count - 1)
    return true
  })
}
