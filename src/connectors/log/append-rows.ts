/** JSON rows into a topic of the embedded log, answered when they are as durable as the log's fsync policy says. */
import { openLog } from '../../log/log.ts'
import type { Ports } from '../../ports/ports.ts'

export interface RowAppender {
  /** `eventId` makes it safe to append again: a row of an id that is there already is left out. Rows of one id are of one partition. */
  append(row: Uint8Array, eventId: string): Promise<void>
  close(): Promise<void>
}

/** Makes the topic, of one partition, if it is not there. Who appends owns the data directory. */
export async function rowAppender(
  ports: Ports,
  dataDirectory: string,
  topic: string,
): Promise<RowAppender> {
  const log = openLog({ ports, dataDirectory })
  if (log.topic(topic) === undefined) await log.createTopic(topic)
  return {
    async append(value, eventId) {
      await log.produce(topic, [{ value, eventId }])
    },
    close: () => log.close(),
  }
}
