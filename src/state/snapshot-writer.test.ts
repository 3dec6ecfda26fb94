import assert from 'node:assert/strict'
import test from 'node:test'
import { simulatedPorts } from '../testing/ports.ts'
import { openSnapshot } from './snapshot-reader.ts'
import { createSnapshotWriter } from './snapshot-writer.ts'
import type { EntrySink } from './state-stream.ts'

const GROUPS = { groupStart: 0, groupEnd: 128 }
const bytesOf = (text: string) => new TextEncoder().encode(text)
const put = (sink: EntrySink, key: string, value: string) =>
  sink.put(1, bytesOf(key), bytesOf(value))

test('what was written ahead comes before what the barrier writes, and tables that are gone by then are left out', () => {
  const writer = createSnapshotWriter()
  const ahead = writer.ahead('o', 1)
  ahead.table('kept', (sink) => {
    sink.schema('1')
    sink.replace()
    put(sink, 'a', 'old')
    put(sink, 'b', 'old')
  })
  ahead.table('gone', (sink) => put(sink, 'a', 'old'))
  ahead.table('made again', (sink) => put(sink, 'a', 'old'))
  assert.ok(writer.bytes > 0)
  const barrier = writer.operator('o')
  barrier.table('kept', (sink) => {
    sink.schema('1')
    put(sink, 'a', 'new')
  })
  barrier.table('made again', (sink) => {
    sink.replace()
    put(sink, 'c', 'new')
  })
  assert.deepEqual(entriesOf(writer), {
    kept: ['a new', 'b old'],
    'made again': ['c new'],
  })
})

test('a writer is as new once it has finished', () => {
  const writer = createSnapshotWriter()
  writer.operator('o').table('t', (sink) => put(sink, 'a', '1'))
  writer.finish(0, 128)
  assert.equal(writer.bytes, 0)
  writer.operator('o').table('t', (sink) => put(sink, 'b', '2'))
  assert.deepEqual(entriesOf(writer), { t: ['b 2'] })
})

function entriesOf(writer: ReturnType<typeof createSnapshotWriter>): Record<string, string[]> {
  const { files } = simulatedPorts(1)
  files.makeDirectory('/state')
  const bytes = Buffer.concat(writer.finish(0, 128).pieces)
  const file = files.open('/state/1.state', 'create')
  file.write(bytes, 0)
  file.close()
  const chain = { ...GROUPS, files: [{ name: '1.state', bytes: bytes.length }] }
  const reader = openSnapshot(files, '/state', [chain], GROUPS).operator('o')
  return Object.fromEntries(
    reader.tables().map((name) => {
      const entries: string[] = []
      reader.table(name, (_group, key, value) => {
        entries.push(`${new TextDecoder().decode(key)} ${new TextDecoder().decode(value)}`)
      })
      return [name, entries.sort()]
    }),
  )
}
