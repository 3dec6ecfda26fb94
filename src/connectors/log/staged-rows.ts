/**
 * Rows that wait for their commit: whole record batches in a file of their own, without offsets.
 *
 *   <dataDirectory>/log/staged/<pipeline>/<table>/<incarnation>-<counter>-<worker>.batches
 *
 * A staged batch is as it will stand in the segment, but for offset, append time and producer, which it gets when it is
 * appended; baseSequence holds its partition meanwhile, where the checksum covers it.
 */
import { join } from 'node:path'
import { scanBatches } from '../../log/batch-scan.ts'
import { ensureDirectory } from '../../log/durable-files.ts'
import { readBatchHeader, stampBatch } from '../../log/record-batch.ts'
import { damaged } from '../../log/recovery.ts'
import type { FileHandle } from '../../ports/files.ts'
import type { Ports } from '../../ports/ports.ts'
import { type CheckpointId, isAfter } from '../contract/sink.ts'

export interface StagedBatch {
  readonly partition: number
  readonly batch: Uint8Array
}

/** What a committable says. */
export interface StagedFile {
  readonly file: string
  readonly bytes: number
  readonly rows: number
}

export interface Staging {
  readonly bytes: number
  add(partition: number, batch: Uint8Array): void
  /** Moves what was added to a durable file; undefined if nothing was. */
  prepare(checkpoint: CheckpointId): Promise<StagedFile | undefined>
  close(): void
}

/** Batches that are in memory at once while a staged file is read. */
const GROUP_BYTES = 4 << 20
const NAME = /^(\d+)-(\d+)-\d+\.batches$/

export function stagedDirectory(dataDirectory: string, pipeline: string, table: string): string {
  return join(
    dataDirectory,
    'log',
    'staged',
    encodeURIComponent(pipeline),
    encodeURIComponent(table),
  )
}

/** Added batches are written at once, to a file that gets its name when it is prepared. */
export function createStaging(
  ports: Ports,
  dataDirectory: string,
  directory: string,
  worker: number,
): Staging {
  const { files } = ports
  const unnamed = join(directory, `${worker}.open`)
  let file: FileHandle | undefined
  let bytes = 0
  let rows = 0
  return {
    get bytes() {
      return bytes
    },
    add(partition, batch) {
      if (file === undefined) {
        files.makeDirectory(directory)
        file = files.open(unnamed, 'write')
        file.truncate(0)
      }
      stampBatch(batch, 0, undefined, { producerId: -1, epoch: -1, sequence: partition })
      ports.faultPoint('log.sink.stage')
      file.write(batch, bytes)
      bytes += batch.length
      rows += readBatchHeader(batch, 0).recordCount
    },
    async prepare(checkpoint) {
      if (file === undefined) return undefined
      const name = `${checkpoint.incarnation}-${checkpoint.counter}-${worker}.batches`
      ports.faultPoint('log.sink.prepare.sync')
      await file.sync()
      file.close()
      ports.faultPoint('log.sink.prepare.rename')
      files.rename(unnamed, join(directory, name))
      await ensureDirectory(ports, dataDirectory, directory)
      await files.syncDirectory(directory)
      ports.faultPoint('log.sink.prepared')
      const staged = { file: name, bytes, rows }
      file = undefined
      bytes = 0
      rows = 0
      return staged
    },
    close() {
      file?.close()
      file = undefined
    },
  }
}

/**
 * Visits the batches of a staged file in order.
 * @throws LOG_CORRUPT if the file is not as it was prepared
 */
export function* readStaged(
  ports: Ports,
  directory: string,
  staged: StagedFile,
): Generator<StagedBatch> {
  const path = join(directory, staged.file)
  if (!ports.files.exists(path)) throw damaged(path, 0, 'the file is missing', undefined)
  const file = ports.files.open(path, 'read')
  try {
    for (let position = 0; position < staged.bytes; ) {
      const group: StagedBatch[] = []
      let bytes = 0
      const end = scanBatches(file, position, staged.bytes, (found) => {
        if (bytes >= GROUP_BYTES) return 'stop'
        group.push({ partition: found.header.baseSequence, batch: found.bytes.slice() })
        bytes += found.bytes.length
        return undefined
      })
      if (end.fault !== undefined) throw damaged(path, end.position, end.fault, undefined)
      position = end.position
      yield* group
    }
  } finally {
    file.close()
  }
}

/** Removes what was staged for `checkpoint` and before it: committed, or never to be. */
export function removeStaged(ports: Ports, directory: string, checkpoint: CheckpointId): void {
  if (!ports.files.exists(directory)) return
  for (const name of ports.files.list(directory)) {
    const match = NAME.exec(name)
    if (match === null) continue
    const id = { incarnation: Number(match[1]), counter: Number(match[2]) }
    if (isAfter(id, checkpoint)) continue
    ports.faultPoint('log.sink.staged.remove')
    ports.files.remove(join(directory, name))
  }
}
