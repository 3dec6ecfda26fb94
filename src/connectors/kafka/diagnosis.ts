/** What a cluster says of a table's topic, held against what the table needs: facts, and findings in words. */
import { MillraceError } from '../../errors.ts'
import { type Cluster, topicMetadata } from './cluster.ts'
import { CODE } from './failure.ts'
import type { LingeringRequest } from './lingering.ts'
import { clusterOf } from './open-cluster.ts'
import { propertiesOf } from './properties.ts'
import { TIMEOUT_MS } from './transactions.ts'

export interface Finding {
  readonly severity: 'ok' | 'warning' | 'error'
  readonly text: string
}

export interface DiagnosisRequest extends LingeringRequest {
  readonly reads: boolean
  readonly writes: boolean
}

const TOPIC = 2
const BROKER = 4
/** A pipeline that may be down over a weekend. */
const OUTAGE_MS = 3 * 86_400_000

/** Never throws for what the cluster says: that is a finding. */
export async function diagnose(request: DiagnosisRequest): Promise<Finding[]> {
  const { table, options } = request
  let cluster: Cluster | undefined
  try {
    const properties = propertiesOf(table, options)
    cluster = await clusterOf(request, properties)
    const topics = (options.topic ?? '').split(';').filter((topic) => topic !== '')
    const found: Finding[] = []
    for (const topic of topics) found.push(...(await ofTopic(cluster, topic, request)))
    const isExact = options['sink.delivery-guarantee'] === 'exactly-once'
    if (request.writes && isExact)
      found.push(
        await ofTransactions(cluster, properties.number('transaction.timeout.ms', TIMEOUT_MS)),
      )
    return found
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return [{ severity: 'error', text: `${error.message} (${error.hint})` }]
  } finally {
    await cluster?.close()
  }
}

async function ofTopic(
  cluster: Cluster,
  topic: string,
  { reads, writes }: DiagnosisRequest,
): Promise<Finding[]> {
  const metadata = await topicMetadata(cluster, topic)
  if (metadata === undefined)
    return [{ severity: 'error', text: `topic ${topic} is not on ${cluster.servers}` }]
  const found: Finding[] = []
  const leaderless = metadata.partitions.filter(({ leaderId }) => leaderId < 0)
  const partitions = `${metadata.partitions.length} partitions`
  if (leaderless.length > 0)
    found.push({
      severity: 'error',
      text: `topic ${topic}: ${leaderless.length} of ${partitions} have no leader`,
    })
  else found.push({ severity: 'ok', text: `topic ${topic}: ${partitions}, all with a leader` })
  const configs = await configsOf(cluster, TOPIC, topic)
  if (reads) found.push(ofRetention(topic, configs))
  const replicas = metadata.partitions[0]?.replicaNodes.length ?? 0
  const least = Number(configs.get('min.insync.replicas') ?? 1)
  if (writes && replicas > 1 && least < 2)
    found.push({
      severity: 'warning',
      text: `topic ${topic}: min.insync.replicas is ${least}: a row may be acknowledged by one broker, and lost with it`,
    })
  return found
}

function ofRetention(topic: string, configs: ReadonlyMap<string, string>): Finding {
  const isKept = !(configs.get('cleanup.policy') ?? 'delete').includes('delete')
  const retentionMs = Number(configs.get('retention.ms') ?? -1)
  if (isKept || retentionMs < 0)
    return { severity: 'ok', text: `topic ${topic}: rows are not removed by age` }
  const days = (retentionMs / 86_400_000).toFixed(1)
  const text = `topic ${topic}: rows are removed after ${days} days (retention.ms ${retentionMs}): a pipeline that is down for longer, or begins with --fresh, misses them`
  return { severity: retentionMs < OUTAGE_MS ? 'warning' : 'ok', text }
}

async function ofTransactions(cluster: Cluster, timeoutMs: number): Promise<Finding> {
  const { controllerId } = await cluster.metadata([])
  const configs = await configsOf(cluster, BROKER, String(controllerId))
  const maxMs = Number(configs.get('transaction.max.timeout.ms') ?? TIMEOUT_MS)
  const minutes = Math.round(timeoutMs / 60_000)
  if (timeoutMs > maxMs)
    return {
      severity: 'error',
      text: `properties.transaction.timeout.ms is ${timeoutMs}, and the brokers take ${maxMs} at most (transaction.max.timeout.ms)`,
    }
  return {
    severity: 'ok',
    text: `transactions live ${minutes} min: a pipeline that is down for longer writes its last checkpoint again, and readers of committed rows wait so long for what it had open`,
  }
}

async function configsOf(
  cluster: Cluster,
  resourceType: typeof TOPIC | typeof BROKER,
  resourceName: string,
): Promise<ReadonlyMap<string, string>> {
  const to =
    resourceType === BROKER
      ? await cluster.connection('ask', Number(resourceName))
      : await cluster.connection('ask')
  const what = `reading the settings of ${resourceName}`
  const { api } = cluster.client.describeConfigsV4
  const asked = [{ resourceType, resourceName, configurationKeys: null }]
  const answer = await cluster.ask(what, to, api, asked, false, false)
  const [result] = answer.results
  if (result === undefined || result.errorCode !== CODE.none)
    throw cluster.failed(what, result?.errorCode ?? CODE.unknownTopic)
  return new Map(
    result.configs.flatMap(({ name, value }) => (value == null ? [] : [[name, value]])),
  )
}
