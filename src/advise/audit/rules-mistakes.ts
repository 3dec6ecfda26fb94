/** The four mistakes that cost most, and what hides others from an audit. */
import { GOOD, kafkaSink, NEED, REVENUE } from './good.ts'
import type { Rule } from './rule.ts'

export const MISTAKES = {
  NEED_UNSTATED: {
    severity: 'warning',
    title: 'a stream runs without anybody having said what needs it',
    why: 'A streaming output costs operating hours every month. If nothing breaks when its data is one hour old, a job on a timer does the same for less; if something does, whoever is woken by it at night wants to know what.',
    remedy:
      'Write `-- need: ` with what breaks if this is one hour old, or run it with `--until now` on a timer. `millrace advise` tells which.',
    isFixed: false,
    has: GOOD.replace(`${NEED}\n`, ''),
    hasNot: GOOD,
  },
  WATERMARK_MISSING: {
    severity: 'warning',
    title: 'events have a time, and the table has no watermark',
    why: 'Without a watermark nothing says when a window is complete: windows by event time are refused, and what is grouped by the clock instead gives another answer at every replay.',
    remedy:
      'Declare `WATERMARK FOR`, with the delay that `millrace advise watermark` measures. `--fix` does not guess one.',
    isFixed: false,
    has: GOOD.replace(/,\n {2}WATERMARK FOR[^)]*/, ''),
    hasNot: GOOD,
  },
  DELAY_CONTRADICTED: {
    severity: 'warning',
    title: 'the delay is not the one that was measured',
    why: 'A delay that was guessed is wrong in one of two ways: events are late that nobody counted on losing, or every result waits for events that never come. Here it was measured: `--measured` has the distribution.',
    remedy:
      'Take the measured one: `--fix` puts it in, and so does `millrace advise watermark --write`.',
    isFixed: true,
    has: GOOD,
    hasNot: GOOD,
  },
  LATE_UNROUTED: {
    severity: 'warning',
    title: 'late rows vanish',
    why: 'The engine that runs this drops rows that come behind the watermark and counts them in a metric at best: the sum is too low, and no one can tell by how much. (Millrace writes them to `<sink>$late`.)',
    remedy:
      'Send them somewhere: in Flink a side output of the DataStream API, or a second INSERT with the rows whose event time is at or before its CURRENT_WATERMARK. Millrace does it by itself.',
    isFixed: false,
    has: GOOD.replace("'connector' = 'delta'", "'connector' = 'iceberg'"),
    hasNot: GOOD,
  },
  SINK_AT_LEAST_ONCE: {
    severity: 'warning',
    title: 'what is written may be written twice',
    why: 'After a crash the pipeline begins at its last checkpoint, and rows since then are written again. The table has no primary key by which they would be recognised, so sums over it are too high from then on.',
    remedy:
      "For Kafka 'sink.delivery-guarantee' = 'exactly-once' (`--fix` writes it; readers then need isolation.level=read_committed), for others a PRIMARY KEY that makes writing again harmless, or a sink with transactions.",
    isFixed: true,
    has: GOOD.replace(REVENUE, kafkaSink('')),
    hasNot: GOOD.replace(
      REVENUE,
      kafkaSink(
        ", 'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'revenue'",
      ),
    ),
  },
  SCHEMA_UNGOVERNED: {
    severity: 'note',
    title: 'nothing holds what producers send to a schema',
    why: 'The format carries no schema that a registry would check. A producer that renames a field breaks every reader, and they learn of it from rows that are dead or NULL.',
    remedy:
      "Register the schema with a compatibility rule and use a format that asks for it ('avro-confluent', 'protobuf-confluent'); for topics of the embedded log `millrace produce --schema`.",
    isFixed: false,
    has: GOOD.replace("'avro-confluent', 'avro-confluent.url' = 'http://registry:8081'", "'json'"),
    hasNot: GOOD,
  },
  CONNECTOR_FOREIGN: {
    severity: 'note',
    title: 'a connector that Millrace does not have',
    why: 'The file is audited as a pipeline of another engine: what that connector guarantees is not known here, so it is taken for at-least-once, and what the other engine leaves to you is asked for.',
    remedy:
      'If it is meant to run in Millrace, choose one of its connectors; else suppress this with the engine as the reason.',
    isFixed: false,
    has: GOOD.replace("'connector' = 'delta'", "'connector' = 'iceberg'"),
    hasNot: GOOD,
  },
  TABLE_UNDECLARED: {
    severity: 'note',
    title: 'a table of which nothing is known',
    why: 'It stands in a catalog, or in a file that was not named. Whether it has a watermark, a key, a schema, and what its connector promises, was not audited; it is taken for a stream.',
    remedy: 'Name the file that creates it too: `millrace audit tables.sql job.sql`.',
    isFixed: false,
    has: `${GOOD}INSERT INTO revenue SELECT shop, placed_at, amount FROM refunds;`,
    hasNot: GOOD,
  },
  STATEMENT_UNREAD: {
    severity: 'note',
    title: 'a statement that could not be read',
    why: 'What stands there was not audited.',
    remedy:
      'If it is meant to run in Millrace, `millrace check` says what to write; else look at it yourself.',
    isFixed: false,
    has: `${GOOD}CREATE CATALOG lake WITH ('type' = 'hive');`,
    hasNot: GOOD,
  },
  SUPPRESSION_UNREASONED: {
    severity: 'warning',
    title: 'a suppression without a reason',
    why: 'Whoever reads it in a year can not tell whether it still holds. It suppresses nothing.',
    remedy: 'Write the reason behind the code: `-- audit: ignore KEY_HOT: one shop only`.',
    isFixed: false,
    has: `-- audit: ignore KEY_HOT\n${GOOD}`,
    hasNot: `-- audit: ignore KEY_HOT: there is one shop\n${GOOD}`,
  },
} as const satisfies Record<string, Rule>
