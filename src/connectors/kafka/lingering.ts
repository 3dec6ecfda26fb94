/** Open transactions of pipelines on a cluster, for whoever must know why readers wait, and to end one that nobody will. */
import { MillraceError } from '../../errors.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Cluster } from './cluster.ts'
import { CODE } from './failure.ts'
import { clusterOf } from './open-cluster.ts'
import { propertiesOf } from './properties.ts'
import { openProducer } from './transaction-requests.ts'

export interface OpenTransaction {
  readonly id: string
  readonly state: string
  readonly producerId: number
  readonly epoch: number
  readonly startedMs: number
  readonly timeoutMs: number
  /** 'topic[partition]'. */
  readonly partitions: readonly string[]
}

export interface LingeringRequest {
  /** For messages. */
  readonly table: string
  /** Of one of the pipeline's tables, secrets resolved. */
  readonly options: Readonly<Record<string, string>>
  readonly ports: Ports
}

const OVER: ReadonlySet<string> = new Set(['Empty', 'CompleteCommit', 'CompleteAbort', 'Dead'])

/** Transactions that are neither committed nor aborted, of ids that begin with `prefix`. */
export async function openTransactions(
  request: LingeringRequest,
  prefix: string,
): Promise<OpenTransaction[]> {
  return withCluster(request, async (cluster) => {
    const ids = await listed(cluster, prefix)
    const found: OpenTransaction[] = []
    for (const id of ids) found.push(await described(cluster, id))
    return found.filter(({ state }) => !OVER.has(state))
  })
}

/** Opens the id anew: what was open is aborted, and whoever had it is fenced. */
export async function abortTransaction(request: LingeringRequest, id: string): Promise<void> {
  await withCluster(request, async (cluster) => {
    await openProducer(cluster, id, 60_000)
  })
}

async function withCluster<Result>(
  request: LingeringRequest,
  act: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const cluster = await clusterOf(request, propertiesOf(request.table, request.options))
  try {
    return await act(cluster)
  } finally {
    await cluster.close()
  }
}

/** Every broker coordinates some. */
async function listed(cluster: Cluster, prefix: string): Promise<string[]> {
  const { brokers } = await cluster.metadata([])
  const { api } = cluster.client.listTransactionsV0
  const ids: string[] = []
  for (const { nodeId } of brokers) {
    const to = await cluster.connection('ask', nodeId)
    const what = 'listing transactions'
    const answer = await cluster.ask(what, to, api, [], [], -1n, null)
    if (answer.errorCode !== CODE.none) throw cluster.failed(what, answer.errorCode)
    for (const { transactionalId } of answer.transactionStates)
      if (transactionalId.startsWith(prefix)) ids.push(transactionalId)
  }
  return ids.sort()
}

async function described(cluster: Cluster, id: string): Promise<OpenTransaction> {
  const to = await cluster.coordinator('transaction', id)
  const { api } = cluster.client.describeTransactionsV0
  const what = `describing the transaction of ${id}`
  const [state] = (await cluster.ask(what, to, api, [id])).transactionStates
  if (state === undefined)
    throw new MillraceError('KAFKA_REQUEST_FAILED', {
      message: `${what}: the broker does not know it`,
      hint: 'it has been forgotten since: list again',
      facts: { id },
    })
  if (state.errorCode !== CODE.none) throw cluster.failed(what, state.errorCode)
  return {
    id,
    state: state.transactionState,
    producerId: Number(state.producerId),
    epoch: state.producerEpoch,
    startedMs: Number(state.transactionStartTimeMs),
    timeoutMs: state.transactionTimeoutMs,
    partitions: state.topics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => `${topic}[${partition}]`),
    ),
  }
}
