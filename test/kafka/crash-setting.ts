/** A pipeline from one topic to another, exactly once, to be killed. */
import assert from 'node:assert/strict'
import { consumeWithLibrdkafka, createTopic, produceWithLibrdkafka, uniqueTopic } from './broker.ts'
import { temporaryDirectory } from './pipelines.ts'
import { launch } from './processes.ts'
import { table } from './queries.ts'

export interface Setting {
  readonly directory: string
  readonly source: string
  readonly sink: string
  readonly sql: string
  readonly workers: number
}

export async function setting(
  select: string,
  columns: string,
  {
    options = {},
    workers = 1,
  }: { options?: Readonly<Record<string, string>>; workers?: number } = {},
): Promise<Setting> {
  const source = await createTopic(uniqueTopic('in'), 2)
  const sink = await createTopic(uniqueTopic('out'), 2)
  const exact = { 'sink.delivery-guarantee': 'exactly-once', ...options }
  const sql = `SET 'pipeline.name' = '${sink}'; SET 'execution.checkpointing.interval' = '100 ms';
    ${table('i', "n BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR ts AS ts", source)}
    ${table('o', columns, sink, exact)}
    INSERT INTO o ${select};`
  return { directory: temporaryDirectory(), source, sink, sql, workers }
}

/** Numbers one behind the other, a second apart, to both partitions alike. */
export async function feed({ source }: Setting, from: number, to: number): Promise<number> {
  const records = Array.from({ length: to - from }, (_, at) => ({
    value: JSON.stringify({ n: from + at }),
    partition: (from + at) % 2,
    timestampMs: 1_700_000_000_000 + (from + at) * 1000,
  }))
  await produceWithLibrdkafka({ topic: source, records })
  return to
}

export async function finish({ directory, sql, workers }: Setting): Promise<void> {
  const last = launch(directory, sql, { end: true, workers })
  assert.equal(await last.ended, 0, last.lines.join('\n'))
}

export async function written({ sink }: Setting): Promise<Record<string, number>[]> {
  return (await consumeWithLibrdkafka(sink)).map(({ value }) => JSON.parse(value ?? ''))
}
