/** What goes wrong after weeks: state, clocks, files, keys, and what can not be read again. */
import { GOOD } from './good.ts'
import type { Rule } from './rule.ts'

const WINDOWED = /INSERT[\s\S]*;\n$/

export const OPERATION = {
  STATE_UNBOUNDED: {
    severity: 'warning',
    title: 'state that only grows',
    why: 'Every key that ever came is kept for ever (of a join every row of both sides): memory and checkpoints grow until the process ends, after weeks and at night.',
    remedy:
      "Aggregate over a window, bound the join in time (BETWEEN ... AND ... + INTERVAL), or forget what is old: SELECT /*+ STATE_TTL('t' = '7 d') */, or for a whole job of Flink's SET 'table.exec.state.ttl' = '7 d'.",
    isFixed: false,
    has: GOOD.replace(
      WINDOWED,
      'INSERT INTO revenue SELECT shop, MAX(placed_at), SUM(amount) FROM orders GROUP BY shop;\n',
    ),
    hasNot: GOOD,
  },
  IDLE_STALL: {
    severity: 'warning',
    title: 'one silent partition stops every window',
    why: 'The watermark is the least of all partitions. One that gets no events holds it, no window fires any more, and nothing fails: the output is just silent.',
    remedy: "SET 'table.exec.source.idle-timeout' = '5 s'; `--fix` writes it.",
    isFixed: true,
    has: `SET 'table.exec.source.idle-timeout' = '0';\n${GOOD}`,
    hasNot: `SET 'table.exec.source.idle-timeout' = '10 s';\n${GOOD}`,
  },
  CLOCK_UNGUARDED: {
    severity: 'warning',
    title: 'one wrong clock makes all others late',
    why: 'The watermark follows the greatest event time. One device whose clock is a day ahead moves it by a day, and for a day every other event is late.',
    remedy:
      "Keep Millrace's guard: SET 'time.future-guard' = '1 h'; `--fix` writes it. Other engines have none: set aside what is ahead of the clock before the table that has the watermark.",
    isFixed: true,
    has: `SET 'time.future-guard' = 'off';\n${GOOD}`,
    hasNot: `SET 'time.future-guard' = '10 min';\n${GOOD}`,
  },
  TRANSACTION_SHORT: {
    severity: 'warning',
    title: 'a transaction that does not outlive an outage',
    why: 'Kafka aborts a transaction that is open for longer than its time-out. If the pipeline is down for longer, what it had written and not committed is gone for readers.',
    remedy:
      "Let it live longer than the longest outage, up to the broker's transaction.max.timeout.ms: 15 minutes unless it was changed. `--fix` writes 15 minutes.",
    isFixed: true,
    has: GOOD.replace(
      "'connector' = 'delta', 'table-path' = 'lake/revenue', 'sink.commit-interval' = '1 min'",
      "'connector' = 'kafka', 'topic' = 'revenue', 'properties.bootstrap.servers' = 'k:9092',\n  'format' = 'avro-confluent', 'avro-confluent.url' = 'http://registry:8081',\n  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'revenue',\n  'properties.transaction.timeout.ms' = '60000'",
    ),
    hasNot: GOOD.replace(
      "'connector' = 'delta', 'table-path' = 'lake/revenue', 'sink.commit-interval' = '1 min'",
      "'connector' = 'kafka', 'topic' = 'revenue', 'properties.bootstrap.servers' = 'k:9092',\n  'format' = 'avro-confluent', 'avro-confluent.url' = 'http://registry:8081',\n  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'revenue',\n  'properties.transaction.timeout.ms' = '900000'",
    ),
  },
  FILES_SMALL: {
    severity: 'warning',
    title: 'commits so frequent that the table is all small files',
    why: 'Each commit writes a file at least for each partition. Queries open every one of them, and each costs a request; after a day the table is slow and after a month it is dear.',
    remedy:
      "Commit once a minute or less often: 'sink.commit-interval' = '1 min' in Millrace (`--fix` writes it), 'execution.checkpointing.interval' in Flink; and compact.",
    isFixed: true,
    has: GOOD.replace(", 'sink.commit-interval' = '1 min'", ''),
    hasNot: GOOD,
  },
  PROCESSING_TIME: {
    severity: 'warning',
    title: 'windows by the clock over events that bear a time',
    why: 'A window by the clock counts when rows are read, not when things happened: after an outage an hour of events falls into one minute, and a replay gives another answer.',
    remedy: 'Put the window over the event time: DESCRIPTOR of the column, with a watermark on it.',
    isFixed: false,
    has: GOOD.replace('amount DOUBLE, placed_at', 'amount DOUBLE, read_at AS PROCTIME(), placed_at')
      .replace('DESCRIPTOR(placed_at)', 'DESCRIPTOR(read_at)')
      .replace(/,\n {2}WATERMARK FOR[^)]*/, ''),
    hasNot: GOOD,
  },
  KEY_HOT: {
    severity: 'note',
    title: 'a key that all rows share',
    why: 'Rows of one key go to one worker. Where there is no key, or one of two values, more workers do not help, and the one is the limit of the whole pipeline.',
    remedy:
      'Group by more and sum the sums in a second step, or leave it if one worker is enough for the peak.',
    isFixed: false,
    has: GOOD.replace('SELECT shop, window_start', "SELECT 'all', window_start").replace(
      'BY shop, window_start',
      'BY window_start',
    ),
    hasNot: GOOD,
  },
  RETENTION_SHORT: {
    severity: 'warning',
    title: 'the topic forgets before it could be read again',
    why: 'When a result turns out wrong, or a checkpoint is lost, the pipeline has to begin anew from events that the topic no longer has.',
    remedy:
      'Keep events for as long as a replay reaches back: `millrace log configure TOPIC`, or retention.ms of the Kafka topic; or say what replay needs: `-- replay: 3 d`.',
    isFixed: false,
    has: `-- replay: 30 d\n${GOOD.replace("'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = 'k:9092'", "'log', 'topic' = 'orders'")}`,
    hasNot: `-- replay: 1 d\n${GOOD.replace("'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = 'k:9092'", "'log', 'topic' = 'orders'")}`,
  },
} as const satisfies Record<string, Rule>
