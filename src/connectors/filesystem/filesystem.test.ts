import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { afterEach, beforeEach } from 'node:test'
import { rowsOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { PollLimit, Position, Source, SourceReader } from '../contract/source.ts'
import { filesystem } from './filesystem.ts'

const schema: Schema = [{ name: 'n', type: types.bigint }]
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-filesystem-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function open(options: Record<string, string>): Promise<Source> {
  return filesystem.source!.open({
    table: 't',
    options: { format: 'json', ...options },
    schema,
    physical: schema,
    metadataKeys: [undefined],
    ports: nodePorts(),
    baseDirectory: directory,
    dataDirectory: directory,
  })
}

const memory = new LinearMemory()

async function readAll(reader: SourceReader, limit: Partial<PollLimit> = {}) {
  const rows: unknown[] = []
  const dead: { reason: string; position: string; text: string }[] = []
  const positions: Position[] = []
  for (;;) {
    const mark = memory.arena.mark()
    const polled = await reader.poll({ rowsMax: 3, waitMs: 0, ...limit })
    if (polled === undefined || typeof polled === 'string')
      return { rows, dead, positions, last: polled }
    rows.push(...rowsOf(memory, polled.batch).map(([n]) => n))
    positions.push(polled.next)
    for (const { bytes, reason, position } of polled.dead) {
      dead.push({ reason, position, text: Buffer.from(bytes).toString() })
    }
    memory.arena.release(mark)
  }
}

test('a store that is not known is refused by name, and no folder is made of it', async () => {
  await assert.rejects(open({ path: 'gs://bucket/rows' }), {
    code: 'STORE_UNSUPPORTED',
    hint: /s3:/,
  })
  assert.deepEqual(readdirSync(directory), [])
})

test('a bounded file gives every line, the unended last one too, and ends', async () => {
  writeFileSync(join(directory, 'a.jsonl'), '{"n":1}\n{"n":2}\r\n{"n":3}\n{"n":4}')
  const source = await open({ path: 'a.jsonl' })
  assert.deepEqual(await source.splits(), [''])
  const { rows, last } = await readAll(await source.open('', undefined, memory))
  assert.deepEqual(rows, [1n, 2n, 3n, 4n])
  assert.equal(last, 'ended')
})

test('a bad line is dead at its byte, and the lines around it are read', async () => {
  writeFileSync(join(directory, 'a.jsonl'), '{"n":1}\n{"n":oops}\n{"n":3}\n')
  const source = await open({ path: 'a.jsonl' })
  const { rows, dead } = await readAll(await source.open('', undefined, memory))
  assert.deepEqual(rows, [1n, 3n])
  assert.equal(dead.length, 1)
  assert.equal(dead[0]!.position, '8')
  assert.equal(dead[0]!.text, '{"n":oops}')
})

test('reading again from any position goes on exactly there', async () => {
  writeFileSync(
    join(directory, 'a.jsonl'),
    Array.from({ length: 20 }, (_, n) => `{"n":${n}}\n`).join(''),
  )
  const source = await open({ path: 'a.jsonl' })
  const whole = await readAll(await source.open('', undefined, memory))
  for (const [index, position] of whole.positions.entries()) {
    const rest = await readAll(await source.open('', position, memory))
    assert.deepEqual(rest.rows, whole.rows.slice(3 * (index + 1)))
  }
})

test('a followed file gives what is appended, and a half-written line only when it is whole', async () => {
  const path = join(directory, 'a.jsonl')
  writeFileSync(path, '{"n":1}\n{"n":2')
  const source = await open({ path: 'a.jsonl', 'source.monitor-interval': '1s' })
  assert.equal(await source.endPosition(''), '8')
  const reader = await source.open('', undefined, memory)
  const first = await readAll(reader)
  assert.deepEqual(first.rows, [1n])
  assert.equal(first.last, undefined)
  appendFileSync(path, '2}\n')
  assert.deepEqual((await readAll(reader)).rows, [22n])
})

test('until a position no row at or beyond it is read', async () => {
  writeFileSync(join(directory, 'a.jsonl'), '{"n":1}\n{"n":2}\n{"n":3}\n')
  const source = await open({ path: 'a.jsonl' })
  const { rows, last } = await readAll(await source.open('', undefined, memory), { until: '16' })
  assert.deepEqual(rows, [1n, 2n])
  assert.equal(last, undefined)
})

test('a directory is read by its files, hidden ones left out', async () => {
  mkdirSync(join(directory, 'in'))
  for (const name of ['b.jsonl', 'a.jsonl', '.hidden', '_done']) {
    writeFileSync(join(directory, 'in', name), '{"n":1}\n')
  }
  const source = await open({ path: 'in' })
  assert.deepEqual(await source.splits(), ['a.jsonl', 'b.jsonl'])
})

test('a line longer than a chunk is read whole', async () => {
  writeFileSync(join(directory, 'a.jsonl'), `{"pad":"${'x'.repeat(3_000_000)}","n":7}\n{"n":8}\n`)
  const source = await open({ path: 'a.jsonl' })
  assert.deepEqual((await readAll(await source.open('', undefined, memory))).rows, [7n, 8n])
})

test('a missing path is named', async () => {
  const source = await open({ path: 'nowhere.jsonl' })
  await assert.rejects(
    source.splits(),
    (error) => error instanceof MillraceError && error.code === 'FILE_MISSING',
  )
})
