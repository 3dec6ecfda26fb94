/** All of the outside that a part may ask for, in one value; `ports/node` is the real one, `testing` another. */
import type { Clock } from './clock.ts'
import type { Files } from './files.ts'
import type { HttpSend } from './http.ts'
import type { ObjectStore } from './objects.ts'
import type { Random } from './random.ts'

export interface Ports {
  readonly clock: Clock
  readonly files: Files
  readonly random: Random
  /** Opens the store of a table path: a local path, 'file://...', 's3://...'. */
  objects(url: string): ObjectStore
  /** Sends a request to what stands outside. */
  readonly http: HttpSend
  /** One line on standard output: what the `print` connector is for, and nothing else. */
  print(line: string): void
  /** A named point where simulation and crash tests may fail or stop the process; does nothing otherwise. */
  faultPoint(name: string): void
  /** What another thread makes the same outside from; absent where it can't be, as in simulations. */
  readonly recipe?: PortsRecipe
}

/** Plain data: it can be sent to a thread. */
export interface PortsRecipe {
  /** For crash tests: where the process kills itself, 'point' or 'point:nth', counted in each thread. */
  readonly killAt?: string
  /** Nothing gets a new name once a later epoch has the directory. */
  readonly owner?: { readonly directory: string; readonly epoch: number }
}
