/**
 * Commits positions under 'properties.group.id', for tools that show a group's lag. Nothing depends on them: a commit that fails is
 * forgotten, for the next checkpoint brings another.
 */
import type { Cluster } from './cluster.ts'
import type { TopicPartition } from './offsets.ts'
import type { Properties } from './properties.ts'

export interface GroupCommits {
  commit(at: TopicPartition, offset: number): void
  settled(): Promise<void>
}

export function groupCommits(cluster: Cluster, properties: Properties): GroupCommits {
  const groupId = properties.get('group.id')
  const isOff = properties.get('commit.offsets.on.checkpoint') === 'false'
  if (groupId === undefined || isOff) return { commit: () => {}, settled: async () => {} }
  const waiting = new Map<string, Map<number, number>>()
  let sending: Promise<void> | undefined

  async function send(): Promise<void> {
    // All partitions of a checkpoint are told one after another: they go in one request.
    await Promise.resolve()
    while (waiting.size > 0) {
      const topics = [...waiting].map(([name, offsets]) => ({
        name,
        partitions: [...offsets].map(([partitionIndex, offset]) => ({
          partitionIndex,
          committedOffset: BigInt(offset),
          committedLeaderEpoch: -1,
          committedMetadata: '',
        })),
      }))
      waiting.clear()
      const to = await cluster.coordinator('group', groupId!)
      const { api } = cluster.client.offsetCommitV8
      await cluster.ask('committing group offsets', to, api, groupId!, -1, '', null, topics)
    }
  }

  return {
    commit({ topic, partition }, offset) {
      const offsets = waiting.get(topic) ?? new Map<number, number>()
      waiting.set(topic, offsets.set(partition, offset))
      sending ??= send()
        .catch(() => {})
        .finally(() => {
          sending = undefined
        })
    },
    settled: async () => sending,
  }
}
