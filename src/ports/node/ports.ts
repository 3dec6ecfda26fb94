/** The real outside, all of it. */
import type { ObjectStore } from '../objects.ts'
import type { Ports } from '../ports.ts'
import { nodeClock } from './clock.ts'
import { nodeFiles } from './files.ts'
import { localObjects } from './objects.ts'
import { nodeRandom } from './random.ts'

export interface NodePortsOptions {
  /** Opens object stores by URL; local directories unless given. */
  readonly objects?: (url: string) => ObjectStore
  /** For crash tests: told every named fault point that is passed. */
  readonly faultPoint?: (name: string) => void
}

export function nodePorts({ objects, faultPoint }: NodePortsOptions = {}): Ports {
  const files = nodeFiles()
  const random = nodeRandom()
  return {
    clock: nodeClock(),
    files,
    random,
    objects: objects ?? ((url) => localObjects(files, random, url)),
    print(line) {
      process.stdout.write(`${line}\n`)
    },
    faultPoint: faultPoint ?? (() => {}),
  }
}

/**
 * A fault point that kills the process as SIGKILL does, at the nth time that `name` is passed.
 * `setting` is 'name' or 'name:nth', as crash tests put it into the environment.
 */
export function killAt(setting: string): (name: string) => void {
  const [wanted, nth] = setting.split(':')
  let left = nth === undefined ? 1 : Number(nth)
  return (name) => {
    if (name === wanted && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
