/** Makes staged rows visible, once: appends them under the commit's epoch, skipping what an earlier attempt has appended. */
import { type EventLog, openLog } from '../../log/log.ts'
import { readBatchHeader } from '../../log/record-batch.ts'
import {
  type CommitOutcome,
  type CommitRequest,
  isAfter,
  type SinkCommitter,
  type SinkRequest,
} from '../contract/sink.ts'
import { beginCommit, type Ledger, ledgerPath, readLedger, writeLedger } from './ledger.ts'
import {
  readStaged,
  removeStaged,
  type StagedBatch,
  type StagedFile,
  stagedDirectory,
} from './staged-rows.ts'

/** Batches that share one wait for the disk. */
const BATCHES_AT_ONCE = 32

/** In the main thread of the directory's owner: it appends through the owner's log. */
export async function openLogCommitter(request: SinkRequest): Promise<SinkCommitter> {
  const { ports, dataDirectory, pipeline, table } = request
  const log = openLog({ ports, dataDirectory })
  const path = ledgerPath(dataDirectory, pipeline, table)
  const directory = stagedDirectory(dataDirectory, pipeline, table)
  return {
    async commit(commit): Promise<CommitOutcome> {
      const known = readLedger(ports, path)
      if (known?.state === 'committed' && !isAfter(commit.checkpoint, known.checkpoint)) {
        removeStaged(ports, directory, known.checkpoint)
        return { kind: 'committed', already: true }
      }
      const topic = request.options.topic!
      if (log.topic(topic) === undefined)
        return {
          kind: 'refused',
          reason: `topic ${topic} is gone`,
          remedy: 'create it again and resume the pipeline, or start it with --fresh',
        }
      const ledger = beginCommit(ports, known, commit.checkpoint)
      if (ledger !== known) await writeLedger(ports, dataDirectory, path, ledger)
      const rows = await appendAll(request, log, ledger, stagedBatches(request, directory, commit))
      await writeLedger(ports, dataDirectory, path, { ...ledger, state: 'committed' })
      removeStaged(ports, directory, commit.checkpoint)
      return { kind: 'committed', already: false, detail: `${rows} rows` }
    },
    // Of a commit that was begun a part may be visible: restoring behind it would repeat that part.
    lastCommitted: async () => readLedger(ports, path)?.checkpoint,
    close: () => log.close(),
  }
}

function* stagedBatches(
  { ports }: SinkRequest,
  directory: string,
  { committables }: CommitRequest,
): Generator<StagedBatch> {
  for (const committable of committables)
    yield* readStaged(ports, directory, JSON.parse(committable) as StagedFile)
}

/** Resolves when all batches are on the disk. */
async function appendAll(
  { ports, options }: SinkRequest,
  log: EventLog,
  { producerId, epoch }: Ledger,
  batches: Iterable<StagedBatch>,
): Promise<number> {
  const topic = options.topic!
  /** Per partition, the sequence of the next batch, and how many records an earlier attempt has appended. */
  const partitions = new Map<number, { sequence: number; readonly appended: number }>()
  let rows = 0
  let waiting: Promise<unknown>[] = []
  for (const { partition, batch } of batches) {
    let state = partitions.get(partition)
    if (state === undefined) {
      const known = await log.producer(topic, partition, producerId)
      state = { sequence: 0, appended: known?.epoch === epoch ? known.lastSequence + 1 : 0 }
      partitions.set(partition, state)
    }
    const { sequence } = state
    const { recordCount } = readBatchHeader(batch, 0)
    state.sequence += recordCount
    rows += recordCount
    if (sequence < state.appended) continue
    ports.faultPoint('log.sink.commit.append')
    const appending = log.appendBatch(topic, partition, batch, { producerId, epoch, sequence })
    // It is waited for below, unless another one fails before.
    appending.catch(() => {})
    waiting.push(appending)
    if (waiting.length < BATCHES_AT_ONCE) continue
    await Promise.all(waiting)
    waiting = []
  }
  await Promise.all(waiting)
  for (const partition of partitions.keys()) await (await log.partition(topic, partition)).sync()
  ports.faultPoint('log.sink.commit.appended')
  return rows
}
