/**
 * Pins: positions that retention must not pass, because a checkpoint, a savepoint or a reader still needs what follows.
 *
 *   <dataDirectory>/log/pins/<name>/<topic>-<partition>     the offset, as text
 *
 * Any thread may set one: a file is replaced whole. One that is older than it could be keeps more, never less.
 */
import { join } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { ensureDirectory, readText, replaceFile } from './durable-files.ts'
import { logDirectory } from './topics.ts'

/** Keeps `offset` of the partition and all after it, until the pin is moved or taken away. Durable when it resolves. */
export async function pin(
  ports: Ports,
  dataDirectory: string,
  name: string,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const directory = join(pinsDirectory(dataDirectory), encodeURIComponent(name))
  await ensureDirectory(ports, dataDirectory, directory)
  await replaceFile(ports, join(directory, `${topic}-${partition}`), `${offset}\n`, 'log.pin')
}

/** Takes away all pins of `name`. */
export function unpin(ports: Ports, dataDirectory: string, name: string): void {
  const directory = join(pinsDirectory(dataDirectory), encodeURIComponent(name))
  if (ports.files.exists(directory)) ports.files.remove(directory)
}

/**
 * The least pinned offset of a partition; undefined if nothing pins it.
 * @throws LOG_CORRUPT for a pin that can't be read: nothing is removed on a guess
 */
export function leastPin(
  ports: Ports,
  dataDirectory: string,
  topic: string,
  partition: number,
): number | undefined {
  const root = pinsDirectory(dataDirectory)
  if (!ports.files.exists(root)) return undefined
  let least: number | undefined
  for (const name of ports.files.list(root)) {
    const path = join(root, name, `${topic}-${partition}`)
    const text = readText(ports, path)
    if (text === undefined) continue
    if (!/^\d+\n$/.test(text)) throw pinUnreadable(path)
    least = Math.min(least ?? Number.POSITIVE_INFINITY, Number(text))
  }
  return least
}

function pinsDirectory(dataDirectory: string): string {
  return join(logDirectory(dataDirectory), 'pins')
}

function pinUnreadable(path: string): MillraceError {
  return new MillraceError('LOG_CORRUPT', {
    message: `${path} does not hold an offset`,
    hint: 'remove the file if the pipeline that it belongs to is gone, else let it run to its next checkpoint',
    facts: { path, byte: 0 },
  })
}
