/** The simulated outside, from one seed. */
import { localObjects } from '../ports/node/objects.ts'
import type { Ports } from '../ports/ports.ts'
import { type SimulatedClock, simulatedClock } from './clock.ts'
import { type SimulatedFiles, simulatedFiles } from './files.ts'
import { folderOf } from './objects.ts'
import { type SimulatedRandom, simulatedRandom } from './random.ts'

export interface SimulatedPorts extends Ports {
  readonly clock: SimulatedClock
  readonly files: SimulatedFiles
  readonly random: SimulatedRandom
  /** Names of the fault points that were passed, with how often. */
  readonly passed: ReadonlyMap<string, number>
  /** Lines that were printed. */
  readonly printed: readonly string[]
  /** Crashes at the nth time that a fault point is passed, by throwing `SimulatedCrash` from it. */
  crashAt(point: string, nth: number, kind: 'kill' | 'power'): void
  /** Takes back a crash that has not come. */
  disarm(): void
}

/** Thrown through the code under test: it stands for the end of the process, and the files are already cut. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash'
}

export function simulatedPorts(seed: number): SimulatedPorts {
  const random = simulatedRandom(seed)
  const clock = simulatedClock()
  const files = simulatedFiles(simulatedRandom(seed ^ 0x5eed), clock.nowMs)
  const passed = new Map<string, number>()
  const printed: string[] = []
  let armed: { readonly point: string; left: number; readonly kind: 'kill' | 'power' } | undefined
  return {
    clock,
    files,
    random,
    passed,
    printed,
    http: () => Promise.reject(new Error('there is no network in a simulation')),
    objects: (url) => localObjects(files, random, folderOf(url)),
    print(line) {
      printed.push(line)
    },
    faultPoint(name) {
      passed.set(name, (passed.get(name) ?? 0) + 1)
      if (armed?.point !== name || --armed.left > 0) return
      const { kind } = armed
      armed = undefined
      files.crash(kind)
      throw new SimulatedCrash(`${kind} at ${name}`)
    },
    crashAt(point, nth, kind) {
      armed = { point, left: nth, kind }
    },
    disarm() {
      armed = undefined
    },
  }
}
