import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { MillraceError } from '../errors.ts'
import { nodeFiles } from '../ports/node/files.ts'
import { takeOwnership } from '../ports/node/ownership.ts'
import { connectControl, requireControl } from './control-client.ts'
import { type Handler, serveConnection } from './control-server.ts'
import { jsonLines } from './lines.ts'
import { readRequest } from './protocol.ts'

const files = nodeFiles()
const random = { next: Math.random, bytes: (count: number) => new Uint8Array(count).fill(7) }

async function withOwner(
  handle: Handler,
  body: (directory: string, release: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-control-'))
  const owner = await takeOwnership({
    directory,
    files,
    random,
    nowMs: 0,
    onConnection: (socket) => void serveConnection(socket, handle),
  })
  try {
    await body(directory, () => owner.release())
  } finally {
    await owner.release()
    rmSync(directory, { recursive: true })
  }
}

test('requests of one connection are answered in order, with results and with errors', async () => {
  const handle: Handler = async (operation) => {
    if (operation.op === 'stop')
      throw new MillraceError('OWNER_MISSING', {
        message: `no ${operation.name}`,
        hint: 'look',
        facts: { name: operation.name, count: 3n },
      })
    return { op: operation.op }
  }
  await withOwner(handle, async (directory) => {
    const client = await requireControl(directory, { files })
    assert.deepEqual(await client.ask({ op: 'status' }), { op: 'status' })
    await assert.rejects(client.ask({ op: 'stop', name: 'x' }), {
      code: 'OWNER_MISSING',
      message: 'no x',
      hint: 'look',
      facts: { name: 'x', count: '3' },
    })
    assert.deepEqual(await client.ask({ op: 'savepoint', name: 'x' }), { op: 'savepoint' })
    client.close()
  })
})

test('an error of no known kind is told as a bug, and the owner lives on', async () => {
  const handle: Handler = async () => {
    throw new TypeError('x is not a function')
  }
  await withOwner(handle, async (directory) => {
    const client = await requireControl(directory, { files })
    for (let time = 0; time < 2; time++)
      await assert.rejects(client.ask({ op: 'status' }), { code: 'INVARIANT_BROKEN' })
    client.close()
  })
})

test('an owner that goes away in the middle of a request is said to be gone', async () => {
  let asked = () => {}
  const reached = new Promise<void>((resolve) => {
    asked = resolve
  })
  const handle: Handler = () => {
    asked()
    return new Promise(() => {})
  }
  await withOwner(handle, async (directory, release) => {
    const client = await requireControl(directory, { files })
    const answer = assert.rejects(client.ask({ op: 'status' }), { code: 'OWNER_MISSING' })
    await reached
    await release()
    await answer
  })
})

test('without an owner there is no connection', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-control-'))
  assert.equal(await connectControl(directory, { files }), undefined)
  await assert.rejects(requireControl(directory, { files }), { code: 'OWNER_MISSING' })
  rmSync(directory, { recursive: true })
})

test('requests of another version, without an id, or with wrong fields are refused', () => {
  const refused = [
    null,
    'status',
    {},
    { v: 2, id: 1, op: 'status' },
    { v: 1, op: 'status' },
    { v: 1, id: 1, op: 'rm' },
    { v: 1, id: 1, op: 'stop' },
    { v: 1, id: 1, op: 'produce', topic: 't', records: [{ value: 1 }] },
  ]
  for (const line of refused) assert.throws(() => readRequest(line), { code: 'CONTROL_INVALID' })
  assert.deepEqual(readRequest({ v: 1, id: 1, op: 'status', later: true }).operation, {
    op: 'status',
  })
})

test('lines come back as they were written, however the bytes are cut', async () => {
  const values = fc.array(
    fc.oneof(fc.string(), fc.integer(), fc.dictionary(fc.string(), fc.boolean())),
  )
  await fc.assert(
    fc.asyncProperty(values, fc.integer({ min: 1, max: 7 }), async (written, size) => {
      const bytes = Buffer.from(written.map((value) => `${JSON.stringify(value)}\n`).join(''))
      const chunks = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      assert.deepEqual(
        await readAll(chunks, 1 << 20),
        written.map((value) => JSON.parse(JSON.stringify(value))),
      )
    }),
  )
})

test('a line beyond the bound is refused before it is kept whole', async () => {
  await assert.rejects(readAll([Buffer.alloc(64, 'x'), Buffer.alloc(64, 'x')], 100), {
    code: 'CONTROL_INVALID',
  })
})

async function readAll(chunks: Buffer[], bytesMax: number): Promise<unknown[]> {
  const lines = []
  for await (const line of jsonLines(Readable.from(chunks), bytesMax)) lines.push(line)
  return lines
}
