/**
 * Transactions, request by request. All in the versions that leave the epoch alone when a transaction ends (the protocol before
 * KIP-890's second part), which every broker takes: what a checkpoint keeps, {id, producer id, epoch}, then names its transaction until
 * a producer with the same id is opened.
 */

import type { ProducerIdentity, QueuePlace } from './batch-sender.ts'
import type { Cluster } from './cluster.ts'
import { CODE } from './failure.ts'

const PATIENCE_MS = 60_000
const VISIBLE_MS = 5000
const IN_PROGRESS = CODE.concurrentTransactions

export interface TransactionName extends ProducerIdentity {
  readonly id: string
}

/** 'ended' also if it had been. 'fenced': the epoch has passed, or no such transaction is open. */
export async function endTransaction(
  cluster: Cluster,
  { id, producerId, epoch }: TransactionName,
  outcome: 'commit' | 'abort',
): Promise<'ended' | 'fenced'> {
  return cluster.patiently(PATIENCE_MS, async () => {
    const to = await cluster.coordinator('transaction', id)
    const { api } = cluster.client.endTxnV3
    const what = `ending the transaction of ${id}`
    const { errorCode } = await cluster.ask(
      what,
      to,
      api,
      id,
      BigInt(producerId),
      epoch,
      outcome === 'commit',
    )
    switch (errorCode) {
      case CODE.none:
        return 'ended'
      case CODE.invalidProducerEpoch:
      case CODE.producerFenced:
      case CODE.invalidTransactionState:
      case CODE.invalidProducerIdMapping:
        return 'fenced'
      default:
        throw cluster.failed(what, errorCode)
    }
  })
}

/** A new epoch of the id: what an earlier one had open is aborted. */
export async function openProducer(
  cluster: Cluster,
  id: string,
  timeoutMs: number,
): Promise<ProducerIdentity> {
  return cluster.patiently(PATIENCE_MS, async () => {
    const to = await cluster.coordinator('transaction', id)
    const { api } = cluster.client.initProducerIdV4
    const what = `opening the transactional producer ${id}`
    const answer = await cluster.ask(what, to, api, id, timeoutMs, undefined, undefined)
    if (answer.errorCode !== CODE.none) throw cluster.failed(what, answer.errorCode)
    return { producerId: Number(answer.producerId), epoch: answer.producerEpoch }
  })
}

/** Makes partitions part of the transaction: before the first batch goes there. 'fenced' as above. */
export async function addPartitions(
  cluster: Cluster,
  { id, producerId, epoch }: TransactionName,
  places: readonly QueuePlace[],
): Promise<'added' | 'fenced'> {
  const names = [...new Set(places.map(({ topic }) => topic))]
  const topics = names.map((name) => ({
    name,
    partitions: places.filter(({ topic }) => topic === name).map(({ partition }) => partition),
  }))
  return cluster.patiently(PATIENCE_MS, async () => {
    const to = await cluster.coordinator('transaction', id)
    const { api } = cluster.client.addPartitionsToTxnV3
    const what = `adding partitions to the transaction of ${id}`
    const transaction = {
      transactionalId: id,
      producerId: BigInt(producerId),
      producerEpoch: epoch,
      verifyOnly: false,
      topics,
    }
    const answer = await cluster.ask(what, to, api, [transaction])
    const codes = answer.resultsByTransaction
      .flatMap(({ topicResults }) => topicResults)
      .flatMap(({ resultsByPartition }) => resultsByPartition)
      .map(({ partitionErrorCode }) => partitionErrorCode)
    const fenced: readonly number[] = [
      ...[CODE.invalidProducerEpoch, CODE.producerFenced, CODE.invalidTransactionState],
      CODE.invalidProducerIdMapping,
    ]
    if (codes.some((code) => fenced.includes(code))) return 'fenced'
    // The transaction before is still being written down, or another partition of this request was refused.
    const isOwn = (code: number) => code !== CODE.none && code !== CODE.operationNotAttempted
    const failed = codes.find(isOwn) ?? codes.find((code) => code !== CODE.none)
    if (failed !== undefined) throw cluster.failed(what, failed)
    return 'added'
  })
}

/**
 * Waits until what was ended can be seen: a broker answers EndTxn when it has noted the outcome, and tells the partitions then. It is
 * no matter if that takes longer than one waits here, or can't be asked.
 */
export async function settled(cluster: Cluster, id: string): Promise<void> {
  const { api } = cluster.client.describeTransactionsV0
  const what = `asking for the transaction of ${id}`
  await cluster
    .patiently(VISIBLE_MS, async () => {
      const to = await cluster.coordinator('transaction', id)
      const [state] = (await cluster.ask(what, to, api, [id])).transactionStates
      if (state?.transactionState === 'PrepareCommit') throw cluster.failed(what, IN_PROGRESS)
    })
    .catch(() => undefined)
}
