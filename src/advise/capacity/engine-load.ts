/** What sizing an engine takes and gives. */
import type { Book } from '../cost/book.ts'
import { figure } from '../cost/lines.ts'
import type { Load } from '../plan/load.ts'
import type { Sized } from './sized.ts'

export interface EngineLoad extends Load {
  /** Seconds between two runs of what is scheduled. */
  readonly intervalSeconds: number
  /** The engine's machines hold the log too. */
  readonly holdsLog: boolean
}

export interface SizedEngine extends Sized {
  /** The share of its interval that a scheduled run takes. */
  readonly runShare?: number
}

/** Why one core of the embedded engine does not carry so much, if it does not. */
export function embeddedExceeds(events: number, mb: number, book: Book): { exceeds?: string } {
  const eventsMax = book.limit('embedded-events')
  const mbMax = book.limit('embedded-in')
  if (events > eventsMax)
    return { exceeds: `${figure(events)} events/s, ${figure(eventsMax)} planned on one core` }
  if (mb > mbMax) return { exceeds: `${figure(mb)} MB/s, ${figure(mbMax)} planned on one core` }
  return {}
}
