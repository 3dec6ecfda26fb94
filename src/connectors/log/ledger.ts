/**
 * What a sink has committed: one small file for each pipeline and table, replaced whole.
 *
 * It is written before the first batch of a commit is appended ('committing') and after the last is on the disk
 * ('committed'). Each commit writes under an epoch of its own, with sequences from 0 in each partition, so that
 * a commit that is repeated after a crash finds by their sequences which of its batches are there.
 *
 * @see docs/decisions for why rows are staged and not written as open transactions
 */
import { dirname, join } from 'node:path'
import { MillraceError } from '../../errors.ts'
import { ensureDirectory, readText, replaceFile } from '../../log/durable-files.ts'
import type { Ports } from '../../ports/ports.ts'
import type { CheckpointId } from '../contract/sink.ts'

export interface Ledger {
  readonly state: 'committing' | 'committed'
  readonly checkpoint: CheckpointId
  readonly producerId: number
  readonly epoch: number
}

const EPOCH_MAX = 32767

export function ledgerPath(dataDirectory: string, pipeline: string, table: string): string {
  const name = `${encodeURIComponent(table)}.json`
  return join(dataDirectory, 'log', 'sinks', encodeURIComponent(pipeline), name)
}

/** Undefined before the first commit. @throws LOG_CORRUPT */
export function readLedger(ports: Ports, path: string): Ledger | undefined {
  const text = readText(ports, path)
  if (text === undefined) return undefined
  try {
    const ledger: unknown = JSON.parse(text)
    if (isLedger(ledger)) return ledger
  } catch {
    // Not JSON: the same as JSON that is no ledger.
  }
  throw new MillraceError('LOG_CORRUPT', {
    message: `${path} does not say what was committed`,
    hint: 'restore the file from a copy: without it rows could be written twice',
    facts: { path, byte: 0 },
  })
}

/** Whole: a part that is missed would be taken for nothing committed. */
function isLedger(found: unknown): found is Ledger {
  if (typeof found !== 'object' || found === null) return false
  const { state, checkpoint, producerId, epoch } = found as Partial<Ledger>
  const numbers = [producerId, epoch, checkpoint?.incarnation, checkpoint?.counter]
  return (state === 'committing' || state === 'committed') && numbers.every(Number.isInteger)
}

export async function writeLedger(
  ports: Ports,
  dataDirectory: string,
  path: string,
  ledger: Ledger,
): Promise<void> {
  await ensureDirectory(ports, dataDirectory, dirname(path))
  await replaceFile(ports, path, `${JSON.stringify(ledger)}\n`, 'log.sink.ledger')
}

/** The ledger under which `checkpoint` is to be committed: the one that was begun, or the next epoch. */
export function beginCommit(
  ports: Ports,
  known: Ledger | undefined,
  checkpoint: CheckpointId,
): Ledger {
  if (known?.state === 'committing' && sameCheckpoint(known.checkpoint, checkpoint)) return known
  const isSpent = known === undefined || known.epoch >= EPOCH_MAX
  return {
    state: 'committing',
    checkpoint,
    producerId: isSpent ? newProducerId(ports) : known.producerId,
    epoch: isSpent ? 0 : known.epoch + 1,
  }
}

function sameCheckpoint(one: CheckpointId, other: CheckpointId): boolean {
  return one.incarnation === other.incarnation && one.counter === other.counter
}

/** 48 random bits: a safe integer that no two sinks of a log share. */
function newProducerId(ports: Ports): number {
  return ports.random.bytes(6).reduce((id, byte) => id * 256 + byte, 0)
}
