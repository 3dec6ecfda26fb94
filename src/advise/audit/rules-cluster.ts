/** Every code that an audit of a running Kafka can find, as data: its page in docs/audit is made of it. */
import type { Severity } from './rule.ts'

export interface ClusterRule {
  readonly severity: Severity
  readonly title: string
  /** Why it matters. */
  readonly why: string
  /** What to do. */
  readonly remedy: string
}

export const CLUSTER_RULES = {
  PARTITION_LEADERLESS: {
    severity: 'error',
    title: 'a partition that nobody leads',
    why: 'It can be neither written nor read: producers wait, and a pipeline that reads the topic waits for it with all its windows.',
    remedy: 'Bring its brokers back, or elect a leader: kafka-leader-election.',
  },
  REPLICAS_FEW: {
    severity: 'warning',
    title: 'one broker is all that keeps acknowledged records',
    why: 'With one replica, or with min.insync.replicas at 1, a record may be acknowledged by one broker and lost with its disk.',
    remedy: 'Three replicas and min.insync.replicas = 2, with acks=all.',
  },
  RETENTION_BRIEF: {
    severity: 'warning',
    title: 'records go before a long weekend is over',
    why: 'A pipeline that stands still for longer than the topic keeps records misses them for good, and one that has to begin anew finds only what is left.',
    remedy:
      'retention.ms of a week at least, or a copy in a table: storage is cheaper than what is lost.',
  },
  TOPIC_SCHEMALESS: {
    severity: 'warning',
    title: 'a topic without a schema in the registry',
    why: 'Nothing holds what producers send to what readers expect: a renamed field breaks every reader at once, at night.',
    remedy:
      'Register a schema under TOPIC-value with BACKWARD compatibility, and let producers write by it.',
  },
  TOPIC_IDLE: {
    severity: 'note',
    title: 'a topic that nobody writes',
    why: "It costs its partitions and somebody's attention, and a pipeline that joins it waits for its watermark.",
    remedy: 'Delete it, or find out who has stopped writing.',
  },
  PARTITION_IDLE: {
    severity: 'warning',
    title: 'a silent partition in a topic that is written',
    why: 'The watermark is the least of all partitions: one that gets nothing holds every window back until it counts as idle, and what it brings after that is late.',
    remedy:
      "Keep 'table.exec.source.idle-timeout' above 0 (Flink's default is 0: never idle), or have fewer partitions, or keys that reach all of them.",
  },
  PARTITION_HOT: {
    severity: 'warning',
    title: 'one partition gets far more than its share',
    why: 'One key, or none, decides where records go: the broker and the worker of that partition are the limit of the whole topic.',
    remedy:
      'Look at the keys: a missing one, a default one, or one that is most of the traffic; add a second part to it.',
  },
  PARTITIONS_MANY: {
    severity: 'note',
    title: 'many partitions for few records',
    why: 'Each partition costs memory and files at the brokers, money in a managed cluster, and one more that may be silent.',
    remedy:
      'One partition carries megabytes a second: have as many as readers at the peak need, and no more.',
  },
  TIMESTAMP_AHEAD: {
    severity: 'warning',
    title: 'records from the future',
    why: 'One wrong clock moves the watermark of all: what comes after it with a right time is late. And retention by time keeps such a segment until its time has come.',
    remedy:
      "Correct the producer's clock; SET 'time.future-guard' = '1 min' keeps the pipeline from believing it; or message.timestamp.type=LogAppendTime.",
  },
  RECORDS_LATE: {
    severity: 'note',
    title: 'records that are not in the order of their time',
    why: 'A window that does not wait for them misses them.',
    remedy:
      'Give the table the watermark that was measured; where the payload has a time of its own, measure that: `millrace advise watermark TABLE`.',
  },
} as const satisfies Record<string, ClusterRule>

export type ClusterCode = keyof typeof CLUSTER_RULES

export const CLUSTER_CODES = Object.keys(CLUSTER_RULES) as ClusterCode[]
