import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodeFiles } from './files.ts'
import { connectOwner, findOwner, takeOwnership } from './ownership.ts'

const files = nodeFiles()
const random = {
  next: Math.random,
  bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
}
const take = (directory: string) => takeOwnership({ directory, files, random, nowMs: Date.now() })

test('a second owner is refused while the first lives, and let in once it has released', async () => {
  await inDirectory(async (directory) => {
    const first = await take(directory)
    await assert.rejects(take(directory), { code: 'OWNER_EXISTS' })
    assert.equal((await findOwner(directory, files))?.epoch, 1)
    await first.release()
    assert.equal(await findOwner(directory, files), undefined)
    const second = await take(directory)
    assert.equal(second.epoch, 2)
    await second.release()
  })
})

test('another process that owns the directory is seen, and taken over from once it is killed', async () => {
  await inDirectory(async (directory) => {
    const child = await ownerProcess(directory)
    await assert.rejects(take(directory), (error: Error) =>
      error.message.includes(String(child.pid)),
    )
    await killed(child)
    const mine = await take(directory)
    assert.equal(mine.epoch, 2)
    assert.equal(
      readdirSync(join(directory, 'owner')).filter((name) => name.endsWith('.sock')).length,
      1,
    )
    await mine.release()
  })
})

test('an owner whose epoch has passed is fenced', async () => {
  await inDirectory(async (directory) => {
    const slept = await take(directory)
    slept.assertCurrent()
    await slept.release()
    const next = await take(directory)
    assert.throws(() => slept.assertCurrent(), { code: 'OWNER_FENCED' })
    next.assertCurrent()
    await next.release()
  })
})

test('of many who try at once, one becomes the owner', async () => {
  await inDirectory(async (directory) => {
    const tries = await Promise.allSettled(Array.from({ length: 16 }, () => take(directory)))
    const won = tries.filter((attempt) => attempt.status === 'fulfilled')
    assert.equal(won.length, 1)
    await won[0]!.value.release()
  })
})

test('a directory whose path is too long for a socket is owned all the same', async () => {
  await inDirectory(async (directory) => {
    const deep = join(directory, 'd'.repeat(120))
    const mine = await take(deep)
    await assert.rejects(take(deep), { code: 'OWNER_EXISTS' })
    const socket = await connectOwner(deep, (await findOwner(deep, files))!)
    socket.destroy()
    await mine.release()
    assert.deepEqual(readdirSync(join(deep, 'owner')), ['0000000001.json'])
  })
})

test('a copy of an owned directory is free', async () => {
  await inDirectory(async (directory) => {
    const mine = await take(join(directory, 'a'))
    cpSync(join(directory, 'a'), join(directory, 'b'), {
      recursive: true,
      filter: (path) => !path.endsWith('.sock'),
    })
    const copy = await take(join(directory, 'b'))
    mine.assertCurrent()
    await copy.release()
    await mine.release()
  })
})

test('an owner that serves no requests says so to whoever asks', async () => {
  await inDirectory(async (directory) => {
    const mine = await take(directory)
    const socket = await connectOwner(directory, (await findOwner(directory, files))!)
    socket.write('{}\n')
    const [answer] = await once(socket, 'data')
    assert.equal(JSON.parse(String(answer)).error.code, 'OWNER_NOT_SERVING')
    await mine.release()
  })
})

const OWNER = `
  const { nodeFiles } = await import(${JSON.stringify(new URL('./files.ts', import.meta.url).href)})
  const { takeOwnership } = await import(${JSON.stringify(new URL('./ownership.ts', import.meta.url).href)})
  const random = { next: Math.random, bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) }
  await takeOwnership({ directory: process.argv[1], files: nodeFiles(), random, nowMs: Date.now() })
  console.log('owner')
`

function ownerProcess(directory: string): Promise<ChildProcess> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', OWNER, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.once('data', () => resolve(child))
  })
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
  })
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-owner-'))
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
