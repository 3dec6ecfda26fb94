/**
 * Pins: positions that retention must not pass, because a checkpoint, a savepoint or a reader still needs what follows.
 * They stand with what needs them, and go when its directory goes:
 *
 *   <dataDirectory>/pipelines/<pipeline>/pins/<source>/<topic>-<partition>      the offset, as text
 *   <dataDirectory>/savepoints/<savepoint>/pins/<source>/<topic>-<partition>
 *
 * Any thread may set one: a file is replaced whole. One that is older than it could be keeps more, never less.
 */
import { join } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { ensureDirectory, readText, replaceFile } from './durable-files.ts'

/** One reader's place: a source of a pipeline reads a partition. */
export interface PinPlace {
  readonly dataDirectory: string
  readonly pipeline: string
  readonly source: string
  readonly topic: string
  readonly partition: number
}

/** Where pinning things are. */
const HOLDERS = ['pipelines', 'savepoints']
const PINS = 'pins'

/** Keeps `offset` of the partition and all after it, until the pin is moved or taken away. Durable when it resolves. */
export async function pin(ports: Ports, place: PinPlace, offset: number): Promise<void> {
  await ensureDirectory(ports, place.dataDirectory, directoryOf(place))
  await movePin(ports, place, offset)
}

/** As `pin`, where there is one that this process has set. */
export function movePin(ports: Ports, place: PinPlace, offset: number): Promise<void> {
  return replaceFile(ports, pathOf(place), `${offset}\n`, 'log.pin')
}

/** Where the pin stands; undefined if there is none. @throws LOG_CORRUPT */
export function pinned(ports: Ports, place: PinPlace): number | undefined {
  return readPin(ports, pathOf(place))
}

/** Takes away a pipeline's pins, but those of the sources in `kept`. */
export function unpin(
  ports: Ports,
  dataDirectory: string,
  pipeline: string,
  kept: readonly string[] = [],
): void {
  const directory = pinsOf(dataDirectory, pipeline)
  const names = new Set(kept.map(encodeURIComponent))
  for (const source of listed(ports, directory)) {
    if (!names.has(source)) ports.files.remove(join(directory, source))
  }
}

/** Gives a copy of the pipeline's checkpoint, in `path`, pins of its own, durably. */
export async function copyPins(
  ports: Ports,
  dataDirectory: string,
  pipeline: string,
  path: string,
): Promise<void> {
  const from = pinsOf(dataDirectory, pipeline)
  for (const source of listed(ports, from)) {
    const directory = join(path, PINS, source)
    await ensureDirectory(ports, path, directory)
    for (const name of listed(ports, join(from, source))) {
      const offset = readPin(ports, join(from, source, name))
      if (offset !== undefined)
        await replaceFile(ports, join(directory, name), `${offset}\n`, 'log.pin')
    }
  }
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
  let least: number | undefined
  for (const holders of HOLDERS) {
    const root = join(dataDirectory, holders)
    for (const holder of listed(ports, root)) {
      const pins = join(root, holder, PINS)
      for (const source of listed(ports, pins)) {
        const offset = readPin(ports, join(pins, source, `${topic}-${partition}`))
        if (offset !== undefined) least = Math.min(least ?? offset, offset)
      }
    }
  }
  return least
}

function pathOf(place: PinPlace): string {
  return join(directoryOf(place), `${place.topic}-${place.partition}`)
}

function directoryOf({ dataDirectory, pipeline, source }: PinPlace): string {
  return join(pinsOf(dataDirectory, pipeline), encodeURIComponent(source))
}

function pinsOf(dataDirectory: string, pipeline: string): string {
  return join(dataDirectory, 'pipelines', encodeURIComponent(pipeline), PINS)
}

/** Names in a directory; none if it is no directory. */
function listed({ files }: Ports, directory: string): readonly string[] {
  return files.stat(directory)?.isDirectory === true
    ? files.list(directory).filter((name) => !name.endsWith('.tmp'))
    : []
}

function readPin(ports: Ports, path: string): number | undefined {
  const text = readText(ports, path)
  if (text === undefined) return undefined
  if (/^\d+\n$/.test(text)) return Number(text)
  throw new MillraceError('LOG_CORRUPT', {
    message: `${path} does not hold an offset`,
    hint: 'remove the file if the pipeline that it belongs to is gone, else let it run to its next checkpoint',
    facts: { path, byte: 0 },
  })
}
