/** Scenarios held against their answers, in every way. */
import { differenceOf } from '../row-text.ts'
import type { Answers } from './golden-file.ts'
import type { Scenario } from './scenario.ts'
import { ROWS, replay, type Way, waysOf } from './ways.ts'

export interface Difference {
  readonly way: string
  readonly what: keyof Answers
  /** `- ` expected, `+ ` found. */
  readonly lines: readonly string[]
}

/** Where the way's answers are not the file's: of the changes, only those of one-row batches are told. */
export async function differencesIn(
  scenario: Scenario,
  way: Way,
  baseDirectory?: string,
): Promise<readonly Difference[]> {
  const found = await replay(scenario, way, baseDirectory)
  const parts =
    way === ROWS
      ? (['changes', 'table', 'late', 'dead'] as const)
      : (['table', 'late', 'dead'] as const)
  return parts.flatMap((what) => {
    const lines = differenceOf(scenario.answers[what], found[what])
    return lines === undefined ? [] : [{ way: way.name, what, lines }]
  })
}

/** All ways of a scenario; the first difference of each kind is told, since the others say the same. */
export async function checkScenario(
  scenario: Scenario,
  baseDirectory?: string,
): Promise<{ readonly ways: number; readonly differences: readonly Difference[] }> {
  const ways = waysOf(scenario)
  const differences: Difference[] = []
  for (const way of ways) {
    for (const difference of await differencesIn(scenario, way, baseDirectory)) {
      if (!differences.some(({ what }) => what === difference.what)) differences.push(difference)
    }
  }
  return { ways: ways.length, differences }
}
