/** Kafka's DumpLogSegments reads our segments and indexes without complaint, and finds in them what was appended. */
import assert from 'node:assert/strict'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { log as connector } from '../../src/connectors/log/connector.ts'
import { LinearMemory } from '../../src/data/memory.ts'
import { type Schema, types } from '../../src/data/types.ts'
import { type EventLog, openLog } from '../../src/log/log.ts'
import type { ProducedRecord } from '../../src/log/produced-records.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { batchOf } from '../builders/batch.ts'
import { dumpLogSegments, fetchKafkaTools } from './kafka-tools.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-log-'))
const ports = nodePorts()
const APPENDS = 60

before(fetchKafkaTools)
after(() => rmSync(root, { recursive: true }))

for (const compression of ['none', 'gzip', 'zstd'])
  for (const timestampType of ['LogAppendTime', 'CreateTime'])
    test(`segments with ${compression} and ${timestampType} are dumped record for record`, async () => {
      const topic = `t-${compression}-${timestampType}`
      const log = openLog({ ports, dataDirectory: root })
      const settings = {
        'compression.type': compression,
        'message.timestamp.type': timestampType,
        'segment.bytes': '16384',
      }
      await log.createTopic(topic, { settings })
      const appended = await appendSamples(log, topic)
      await log.close()
      assertDumped(topic, appended, compression, timestampType)
    })

test('a compacted topic is dumped with the records that are left', async () => {
  const log = openLog({ ports, dataDirectory: root })
  const settings = { 'cleanup.policy': 'compact', 'segment.bytes': '2048' }
  await log.createTopic('compacted', { settings })
  for (let index = 0; index < 60; index++)
    await log.append('compacted', 0, [
      { key: utf8(`k${index % 5}`), value: utf8(`v${index}`.padEnd(200, '.')) },
      { key: utf8(`only${index}`), value: utf8('x') },
    ])
  const { recordsRemoved } = await log.maintain()
  await log.close()
  const lines = dumpLogSegments(filesOf('compacted', 'log'), '--deep-iteration', '--print-data-log')
  const payloads = recordsOf(lines).map((line) => / payload: (.*)$/.exec(line)![1]!)
  assert.equal(payloads.length, 120 - recordsRemoved)
  for (let index = 55; index < 60; index++)
    assert.ok(payloads.includes(`v${index}`.padEnd(200, '.')))
  assertSound('compacted', lines)
})

test('what the sink has committed is dumped with its producer and sequences', async () => {
  const schema: Schema = [{ name: 'city', type: types.string }]
  const sink = await connector.sink!.open({
    table: 'out',
    pipeline: 'p',
    options: { topic: 'sink', 'key.fields': 'city' },
    schema,
    primaryKey: [],
    partitionedBy: [],
    mode: 'append',
    metadataKeys: [undefined],
    ports,
    baseDirectory: root,
    dataDirectory: root,
  })
  await sink.prepareTable({ isWritten: false })
  const memory = new LinearMemory()
  const writer = await sink.openWriter(0, memory)
  writer.write(batchOf(memory, schema, [['oslo'], ['bergen']]))
  writer.write(batchOf(memory, schema, [['paris']]))
  const checkpoint = { incarnation: 1, counter: 1 }
  const committables = [(await writer.prepare(checkpoint))!]
  const committer = await sink.openCommitter()
  await committer.commit({ pipeline: 'p', checkpoint, committables, positions: {} })
  await committer.close()
  const lines = dumpLogSegments(filesOf('sink', 'log'), '--deep-iteration', '--print-data-log')
  const records = recordsOf(lines)
  assert.deepEqual(
    records.map((line) => /sequence: (\d+) .* key: (.*) payload: (.*)$/.exec(line)!.slice(1)),
    ['oslo', 'bergen', 'paris'].map((city, index) => [
      String(index),
      `{"city":"${city}"}`,
      `{"city":"${city}"}`,
    ]),
  )
  assertSound('sink', lines)
})

async function appendSamples(log: EventLog, topic: string): Promise<ProducedRecord[]> {
  const all: ProducedRecord[] = []
  for (let index = 0; index < APPENDS; index++) {
    const records = samples(index)
    await log.append(topic, 0, records, { producerId: 42, epoch: 3, sequence: all.length })
    all.push(...records)
  }
  return all
}

function samples(index: number): ProducedRecord[] {
  const timestampMs = 1_700_000_000_000 + index * 1000
  return [
    { key: utf8(`key${index}`), value: utf8(`value ${index} æøå`), timestampMs },
    { value: utf8('{"n":1}'.repeat(100)), timestampMs: timestampMs - 5000 },
    { key: utf8('deleted'), value: null, timestampMs },
    {
      value: utf8('with headers'),
      headers: [
        { key: 'trace', value: utf8('abc') },
        { key: 'none', value: null },
      ],
      timestampMs: timestampMs + 1,
    },
  ]
}

function assertDumped(
  topic: string,
  appended: readonly ProducedRecord[],
  compression: string,
  timestampType: string,
): void {
  const lines = dumpLogSegments(filesOf(topic, 'log'), '--deep-iteration', '--print-data-log')
  const records = recordsOf(lines)
  assert.equal(records.length, appended.length)
  for (const [offset, record] of appended.entries()) {
    const line = records[offset]!
    assert.match(line, new RegExp(`^\\| offset: ${offset} ${timestampType}: \\d+ `))
    if (timestampType === 'CreateTime')
      assert.ok(line.includes(` CreateTime: ${record.timestampMs} `), line)
    assert.ok(line.includes(` keySize: ${record.key?.length ?? -1} `), line)
    assert.ok(line.includes(` valueSize: ${record.value?.length ?? -1} `), line)
    assert.ok(line.includes(` sequence: ${offset} `), line)
    const names = (record.headers ?? []).map((header) => header.key)
    assert.ok(line.includes(` headerKeys: [${names.join(',')}]`), line)
    if (record.value !== null) assert.ok(line.endsWith(` payload: ${text(record.value)}`), line)
    if (record.key) assert.ok(line.includes(` key: ${text(record.key)}`), line)
  }
  const batches = lines.filter((line) => line.startsWith('baseOffset: '))
  assert.equal(batches.length, APPENDS)
  for (const line of batches) {
    assert.ok(line.includes(` compresscodec: ${compression} `), line)
    assert.ok(line.includes(' producerId: 42 producerEpoch: 3 '), line)
  }
  assertSound(topic, lines)
}

/** Every batch valid, and every index consistent with its segment. */
function assertSound(topic: string, lines: readonly string[]): void {
  const batches = lines.filter((line) => line.startsWith('baseOffset: '))
  assert.ok(batches.length > 0)
  for (const line of batches) assert.ok(line.endsWith(' isvalid: true'), line)
  const complaint = /mismatch|Error|Exception|Corrupt|out of order|non-consecutive|not found/i
  const dumped = dumpLogSegments([...filesOf(topic, 'index'), ...filesOf(topic, 'timeindex')])
  assert.ok(dumped.length > 0)
  const plain = lines.filter((line) => !line.startsWith('|'))
  assert.deepEqual(
    [...plain, ...dumped].filter((line) => complaint.test(line)),
    [],
  )
}

function recordsOf(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith('| offset: '))
}

function filesOf(topic: string, suffix: string): string[] {
  const found = globSync(`${root}/log/${topic}-0/*.${suffix}`).sort()
  assert.ok(found.length > 0)
  return found
}

function utf8(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
