/**
 * The pin of a partition that a pipeline reads: set before the first row is read, moved on as positions are committed.
 *
 * It moves seldom, since each move waits for the disk and retention takes whole segments; behind is always right.
 */
import { MillraceError } from '../../errors.ts'
import { errorCode } from '../../log/durable-files.ts'
import { copyPins, movePin, pin, pinned, unpin } from '../../log/pins.ts'
import type { Ports } from '../../ports/ports.ts'
import type { SourceRequest } from '../contract/source.ts'

/** Least ms between two moves of a pin. */
const MOVE_MS = 30_000

export interface MovingPin {
  /** Keeps `offset` and all after it, durably; what is kept already stays. */
  hold(offset: number): Promise<void>
  /** Nothing before `offset` will be asked for again. Waits for nothing. @throws what kept an earlier move from being made, if it was no disk */
  move(offset: number): void
  /** Moves it to where it may stand now. */
  settle(): Promise<void>
}

/** Undefined for a request that nobody comes back from. */
export function pinOf(
  { ports, dataDirectory, consumer }: SourceRequest,
  topic: string,
  partition: number,
): MovingPin | undefined {
  if (consumer === undefined) return undefined
  const place = { ...consumer, dataDirectory, topic, partition }
  let movedMs = ports.clock.monotonicMs()
  let stands = pinned(ports, place)
  let wanted = stands
  let moving: Promise<void> | undefined
  let failure: unknown
  /** A disk that refuses it leaves the pin where it was: more is kept than need be. */
  const moveTo = async (offset: number): Promise<void> => {
    movedMs = ports.clock.monotonicMs()
    try {
      await movePin(ports, place, offset)
      stands = offset
    } catch (error) {
      if (errorCode(error) === undefined || error instanceof MillraceError) failure = error
    }
    moving = undefined
  }
  const passFailure = (): void => {
    if (failure !== undefined) throw failure
  }
  return {
    async hold(offset) {
      wanted = offset
      if (stands !== undefined && stands <= offset) return
      await pin(ports, place, offset).catch(refused(topic))
      stands = offset
    },
    move(offset) {
      passFailure()
      wanted = offset
      const isDue = ports.clock.monotonicMs() - movedMs >= MOVE_MS
      if (isDue && stands !== offset) moving ??= moveTo(offset)
    },
    async settle() {
      await moving
      if (wanted !== undefined && wanted !== stands) await moveTo(wanted)
      passFailure()
    },
  }
}

function refused(topic: string): (error: unknown) => never {
  return (cause) => {
    const errno = errorCode(cause)
    if (errno === undefined || cause instanceof MillraceError) throw cause
    throw new MillraceError('LOG_WRITE_FAILED', {
      message: `the disk refuses to note where ${topic} is read from: ${errno}`,
      hint: 'make room or give write access: without the note retention might remove what is still to be read',
      facts: { topic, errno },
      cause,
    })
  }
}

/** Takes away the pins that a pipeline's sources no longer need: all but those of the sources in `kept`. */
export function forgetPins(
  ports: Ports,
  dataDirectory: string,
  pipeline: string,
  kept: readonly string[] = [],
): void {
  unpin(ports, dataDirectory, pipeline, kept)
}

/** Gives a savepoint in `path` the pins that its pipeline has now: what it needs stays as long as it does. */
export function savePins(
  ports: Ports,
  dataDirectory: string,
  pipeline: string,
  path: string,
): Promise<void> {
  return copyPins(ports, dataDirectory, pipeline, path)
}
