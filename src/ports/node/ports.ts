/** The real outside, all of it. */

import { fencePorts } from '../fenced-files.ts'
import type { ObjectStore } from '../objects.ts'
import type { Ports, PortsRecipe } from '../ports.ts'
import { s3Objects } from '../s3/objects.ts'
import { nodeClock } from './clock.ts'
import { nodeFiles } from './files.ts'
import { nodeHttp } from './http.ts'
import { localObjects } from './objects.ts'
import { ownershipSince } from './ownership.ts'
import { nodeRandom } from './random.ts'

export interface NodePortsOptions {
  /** Opens object stores by URL; local directories unless given. */
  readonly objects?: (url: string) => ObjectStore
  /** For crash tests: 'point' or 'point:nth', where this process kills itself. */
  readonly killAt?: string
}

export function nodePorts({ objects, killAt }: NodePortsOptions = {}): Ports {
  const files = nodeFiles()
  const random = nodeRandom()
  const clock = nodeClock()
  const outside = { http: nodeHttp, clock, random }
  return {
    clock,
    files,
    random,
    http: nodeHttp,
    objects:
      objects ??
      ((url) =>
        /^s3a?:/.test(url)
          ? s3Objects(outside, process.env, url)
          : localObjects(files, random, url)),
    print(line) {
      process.stdout.write(`${line}\n`)
    },
    faultPoint: killAt === undefined ? () => {} : killing(killAt),
    // Stores that were given are functions, which no other thread can have.
    ...(objects === undefined ? { recipe: killAt === undefined ? {} : { killAt } } : {}),
  }
}

/** The same outside in another thread: killed at the same point, fenced by the same epoch. */
export function remakePorts({ killAt, owner }: PortsRecipe): Ports {
  const ports = nodePorts(killAt === undefined ? {} : { killAt })
  if (owner === undefined) return ports
  return fencePorts(
    ports,
    ownershipSince(owner.directory, ports.files, owner.epoch),
    owner.directory,
  )
}

/**
 * A fault point that kills the process as SIGKILL does, at the nth time that `name` is passed.
 * `setting` is 'name' or 'name:nth', as crash tests put it into the environment.
 */
function killing(setting: string): (name: string) => void {
  const [wanted, nth] = setting.split(':')
  let left = nth === undefined ? 1 : Number(nth)
  return (name) => {
    if (name === wanted && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
