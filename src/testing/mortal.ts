/** The outside of one process of a simulated machine: after its death every call fails, and nothing that it waits for comes. */
import { localObjects } from '../ports/node/objects.ts'
import type { ObjectStore } from '../ports/objects.ts'
import type { Ports } from '../ports/ports.ts'
import { folderOf } from './objects.ts'
import { SimulatedCrash, type SimulatedPorts } from './ports.ts'

export interface Mortal {
  readonly ports: Ports
  /** It crashed. */
  isDead(): boolean
  /** It is over: what is left of it touches nothing any more. */
  end(): void
}

export interface MortalOptions {
  /** The object store that it has, over that of the machine. */
  readonly objects?: (store: ObjectStore) => ObjectStore
  /** Its clock on the wall; that of the machine unless told. */
  readonly nowMs?: () => number
}

export function mortal(ports: SimulatedPorts, options: MortalOptions = {}): Mortal {
  const { objects = (store: ObjectStore) => store, nowMs = ports.clock.nowMs } = options
  let dead = false
  let ended = false
  const check = (): void => {
    if (dead || ended) throw new SimulatedCrash('this process is dead')
  }
  const files = new Proxy(ports.files, {
    get(target, name) {
      check()
      return Reflect.get(target, name)
    },
  })
  const { clock } = ports
  return {
    isDead: () => dead,
    end() {
      ended = true
    },
    ports: {
      ...ports,
      files,
      objects: (url) => objects(localObjects(files, ports.random, folderOf(url))),
      clock: {
        ...clock,
        nowMs,
        sleep: (ms, signal) => (dead || ended ? new Promise(() => {}) : clock.sleep(ms, signal)),
      },
      faultPoint(name) {
        check()
        try {
          ports.faultPoint(name)
        } catch (crash) {
          dead = true
          throw crash
        }
      },
    },
  }
}
