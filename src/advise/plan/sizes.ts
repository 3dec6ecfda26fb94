/** Sizes of what designs are made of, each computed once for a situation: many designs share a platform or an engine. */
import type { SizedEngine } from '../capacity/engine-load.ts'
import { ENGINE_SIZES } from '../capacity/engines.ts'
import { PLATFORM_SIZES } from '../capacity/platforms.ts'
import type { Sized } from '../capacity/sized.ts'
import type { CostLine } from '../cost/lines.ts'
import type { EngineCandidate, PlatformCandidate } from '../rules/rules.ts'
import { lakeLines } from './lake.ts'
import { loadOf } from './load.ts'
import type { Planned, Situation } from './situation.ts'

export interface Sizes {
  /** @param readers how many engines read all of it */
  log(platform: PlatformCandidate, readers: number): Sized
  /** @param carried the outputs that it makes */
  engine(
    engine: EngineCandidate,
    carried: readonly Planned[],
    platform: PlatformCandidate,
  ): SizedEngine
  readonly lake: readonly CostLine[]
}

export function sizesOf(situation: Situation): Sizes {
  const { needs, planned, logDays, book } = situation
  const { clouds, availability } = needs.context
  const survivesZone = availability.survives === 'zone' || availability.survives === 'region'
  const crossesZones = survivesZone && clouds.some((cloud) => cloud !== 'own')
  const all = loadOf(planned.map(({ output }) => output))
  const logs = new Map<string, Sized>()
  const engines = new Map<string, SizedEngine>()
  return {
    lake: lakeLines(situation),
    log: ({ id, sizing }, readers) =>
      once(logs, `${id} ${readers}`, () =>
        PLATFORM_SIZES[sizing]!({ ...all, readers, days: logDays, crossesZones }, book),
      ),
    engine({ id, sizing, latencySecondsLeast }, carried, { platform }) {
      const holdsLog = platform === 'embedded'
      const names = carried.map(({ output }) => output.name).join(' ')
      return once(engines, `${id} ${holdsLog} ${names}`, () => {
        const freshest = Math.min(...carried.map(({ seconds }) => seconds))
        const intervalSeconds = Math.max(latencySecondsLeast, freshest)
        const load = loadOf(carried.map(({ output }) => output))
        return ENGINE_SIZES[sizing]!({ ...load, intervalSeconds, holdsLog }, book)
      })
    },
  }
}

function once<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const found = known.get(key) ?? make()
  known.set(key, found)
  return found
}
