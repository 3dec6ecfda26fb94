import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { afterEach, beforeEach } from 'node:test'
import { batchOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { CheckpointId, CommitRequest, Sink } from '../contract/sink.ts'
import { filesystem } from './filesystem.ts'

const schema: Schema = [
  { name: 'n', type: types.bigint },
  { name: 'text', type: types.string },
]
const memory = new LinearMemory()
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-filesystem-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function open(): Promise<Sink> {
  const sink = await filesystem.sink!.open({
    table: 't',
    pipeline: 'p',
    options: { path: 'out', format: 'json' },
    schema,
    primaryKey: [],
    partitionedBy: [],
    mode: 'append',
    metadataKeys: [undefined, undefined],
    ports: nodePorts(),
    baseDirectory: directory,
    dataDirectory: directory,
  })
  await sink.prepareTable({ isWritten: false })
  return sink
}

const checkpoint: CheckpointId = { incarnation: 1, counter: 4 }

function request(committables: string[]): CommitRequest {
  return { pipeline: 'p', checkpoint, committables, positions: {} }
}

function visible(): string[] {
  return readdirSync(join(directory, 'out')).filter((name) => !name.startsWith('.'))
}

test('rows are visible at commit and not before, once, however often it is committed', async () => {
  const sink = await open()
  const writer = await sink.openWriter(0, memory)
  writer.write(
    batchOf(
      memory,
      schema,
      [
        [1n, 'a'],
        [2n, 'é\n'],
        [3n, null],
      ],
      { selection: [0, 1] },
    ),
  )
  writer.write(batchOf(memory, schema, [[4n, 'x'.repeat(2_000_000)]]))
  const committable = await writer.prepare(checkpoint)
  assert.deepEqual(visible(), [])
  const committer = await sink.openCommitter()
  assert.deepEqual(await committer.commit(request([committable!])), {
    kind: 'committed',
    already: false,
  })
  assert.deepEqual(await committer.commit(request([committable!])), {
    kind: 'committed',
    already: true,
  })
  assert.deepEqual(visible(), ['p-0-1-4.json'])
  const lines = readFileSync(join(directory, 'out', 'p-0-1-4.json'), 'utf8')
    .trimEnd()
    .split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).n),
    [1, 2, 4],
  )
  assert.equal(JSON.parse(lines[1]!).text, 'é\n')
  assert.deepEqual(await committer.lastCommitted('p'), checkpoint)
})

test('what was written and not prepared is gone with the writer; nothing written prepares nothing', async () => {
  const sink = await open()
  const lost = await sink.openWriter(0, memory)
  lost.write(batchOf(memory, schema, [[1n, 'lost']]))
  await lost.close()
  const writer = await sink.openWriter(0, memory)
  assert.equal(await writer.prepare(checkpoint), undefined)
  writer.write(batchOf(memory, schema, [[2n, 'kept']]))
  const committable = await writer.prepare({ incarnation: 2, counter: 1 })
  await (await sink.openCommitter()).commit(request([committable!]))
  assert.equal(visible().length, 1)
  assert.match(readFileSync(join(directory, 'out', visible()[0]!), 'utf8'), /kept/)
})

test('a prepared part that someone removed is a refused commit, not silence', async () => {
  const committer = await (await open()).openCommitter()
  const outcome = await committer.commit(request(['p-0-1-9']))
  assert.equal(outcome.kind, 'refused')
})
