/** The real outside, all of it. */
import { MillraceError } from '../../errors.ts'
import type { ObjectStore } from '../objects.ts'
import type { Ports } from '../ports.ts'
import { nodeClock } from './clock.ts'
import { nodeFiles } from './files.ts'
import { nodeRandom } from './random.ts'

export interface NodePortsOptions {
  /** Opens object stores by URL. */
  readonly objects?: (url: string) => ObjectStore
  /** For crash tests: told every named fault point that is passed. */
  readonly faultPoint?: (name: string) => void
}

export function nodePorts({ objects, faultPoint }: NodePortsOptions = {}): Ports {
  return {
    clock: nodeClock(),
    files: nodeFiles(),
    random: nodeRandom(),
    objects: objects ?? noObjects,
    faultPoint: faultPoint ?? (() => {}),
  }
}

function noObjects(url: string): never {
  throw new MillraceError('INVARIANT_BROKEN', {
    message: `no object store was given to open ${url}`,
    hint: 'this is a bug in Millrace: please report it with the steps that led here',
    facts: { url },
  })
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
