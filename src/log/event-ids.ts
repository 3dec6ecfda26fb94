/**
 * Event ids: a name that a producer gives an event, so that sending it again appends nothing.
 *
 * An id travels with its record in the header 'event-id', so what is known of ids is as durable as the records, and
 * is read back from the last `event-id.window.records` of the partition when ids are first used after a start.
 */
export const EVENT_ID_HEADER = 'event-id'

export interface EventIds {
  has(id: string): boolean
  /** Offsets come in ascending order. */
  add(id: string, offset: number): void
}

/** Remembers ids among the last `windowRecords` offsets. */
export function createEventIds(windowRecords: number): EventIds {
  // A Map keeps the order of insertion, and that is the order of offsets.
  const offsets = new Map<string, number>()
  return {
    has: (id) => offsets.has(id),
    add(id, offset) {
      offsets.delete(id)
      offsets.set(id, offset)
      for (const [oldest, at] of offsets) {
        if (at > offset - windowRecords) break
        offsets.delete(oldest)
      }
    },
  }
}
