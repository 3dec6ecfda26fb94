/**
 * The object store of local directories. A key is a path below the root; an object appears whole or not at all:
 * bytes go to a hidden temporary file, are synced, and get their name by link (exclusive) or rename (replacing); the
 * directory is synced before the call resolves.
 */
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MillraceError } from '../../errors.ts'
import type { Files } from '../files.ts'
import type { ObjectStat, ObjectStore, ObjectWriter } from '../objects.ts'
import type { Random } from '../random.ts'

const TEMPORARY = /^\..*\.tmp$/

/**
 * Opens the directory of `url` ('file:///lake/t', or a path, relative to the working directory) as a store; nothing is made
 * before the first write.
 *
 * @throws STORE_UNSUPPORTED for any other scheme
 */
export function localObjects(files: Files, random: Random, url: string): ObjectStore {
  const root = rootOf(url)
  const directories = durableDirectories(files, root)
  const pathOf = (key: string) => join(root, key)
  return {
    url: pathToFileURL(root).href,
    async get(key) {
      return told(key, () => readRange(files, pathOf(key), 0, undefined))
    },
    async getRange(key, start, length) {
      return told(key, () => readRange(files, pathOf(key), start, length))
    },
    async head(key) {
      const stat = told(key, () => files.stat(pathOf(key)))
      if (stat === undefined || stat.isDirectory) return undefined
      return { key, bytes: stat.bytes, modifiedMs: stat.modifiedMs }
    },
    async put(key, bytes, options) {
      const writer = await temporaryWriter({ files, random, directories }, pathOf(key), key)
      writer.write(bytes)
      return writer.publish(options?.ifAbsent === true ? 'link' : 'rename')
    },
    async *list(prefix, options) {
      yield* listBelow(files, root, '', prefix, options?.after)
    },
    async remove(key) {
      told(key, () => ignoring('ENOENT', () => files.remove(pathOf(key))))
    },
    async writer(key) {
      const writer = await temporaryWriter({ files, random, directories }, pathOf(key), key)
      return {
        write: writer.write,
        abort: writer.abort,
        async finish() {
          await writer.publish('rename')
        },
      }
    },
  }
}

function rootOf(url: string): string {
  if (url.startsWith('file:')) return fileURLToPath(url)
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]
  if (scheme === undefined) return resolve(url)
  throw new MillraceError('STORE_UNSUPPORTED', {
    message: `no object store for '${scheme}' is there to open ${url}`,
    hint: "use a local path, 'file://...' or 's3://bucket/path'",
    facts: { url, scheme },
  })
}

function readRange(
  files: Files,
  path: string,
  start: number,
  length: number | undefined,
): Uint8Array | undefined {
  const handle = ignoring('ENOENT', () => files.open(path, 'read'))
  if (handle === undefined) return undefined
  try {
    const size = handle.bytes()
    const from = start < 0 ? Math.max(size + start, 0) : Math.min(start, size)
    const into = new Uint8Array(Math.min(length ?? size, size - from))
    return into.subarray(0, handle.read(into, from))
  } finally {
    handle.close()
  }
}

async function* listBelow(
  files: Files,
  root: string,
  directory: string,
  prefix: string,
  after: string | undefined,
): AsyncGenerator<ObjectStat> {
  const names = ignoring('ENOENT', () => files.list(join(root, directory))) ?? []
  const entries = names
    .filter((name) => !TEMPORARY.test(name) && mayMatter(directory + name, prefix, after))
    .map((name) => ({ key: directory + name, stat: files.stat(join(root, directory, name)) }))
    .map(({ key, stat }) => ({ key: stat?.isDirectory === true ? `${key}/` : key, stat }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  for (const { key, stat } of entries) {
    if (stat === undefined) continue
    if (stat.isDirectory) {
      yield* listBelow(files, root, key, prefix, after)
    } else if (key.startsWith(prefix) && (after === undefined || key > after)) {
      yield { key, bytes: stat.bytes, modifiedMs: stat.modifiedMs }
    }
  }
}

/** Whether the name, as an object or as a directory of such, may be below the prefix and after the key: else it is not even looked at. */
function mayMatter(key: string, prefix: string, after: string | undefined): boolean {
  if (!key.startsWith(prefix) && !prefix.startsWith(`${key}/`)) return false
  return after === undefined || key > after || after.startsWith(key)
}

interface TemporaryWriter extends Omit<ObjectWriter, 'finish'> {
  publish(how: 'link' | 'rename'): Promise<'created' | 'exists'>
}

interface Writing {
  readonly files: Files
  readonly random: Random
  /** Makes a directory and its name durable. */
  readonly directories: (directory: string) => Promise<void>
}

async function temporaryWriter(
  { files, random, directories }: Writing,
  path: string,
  key: string,
): Promise<TemporaryWriter> {
  const directory = dirname(path)
  try {
    await directories(directory)
  } catch (error) {
    throw storeError(key, error)
  }
  const suffix = Buffer.from(random.bytes(8)).toString('hex')
  const temporary = join(directory, `.${path.slice(directory.length + 1)}.${suffix}.tmp`)
  const handle = told(key, () => files.open(temporary, 'create'))
  let written = 0
  let open = true
  const discard = () => {
    if (open) handle.close()
    open = false
    ignoring('ENOENT', () => files.remove(temporary))
  }
  return {
    write(bytes) {
      try {
        told(key, () => handle.write(bytes, written))
      } catch (error) {
        discard()
        throw error
      }
      written += bytes.length
    },
    async abort() {
      told(key, discard)
    },
    async publish(how) {
      try {
        await handle.sync()
        handle.close()
        open = false
        if (how === 'rename') files.rename(temporary, path)
        else if (!linked(files, temporary, path)) return 'exists'
        await files.syncDirectory(directory)
        return 'created'
      } catch (error) {
        throw storeError(key, error)
      } finally {
        discard()
      }
    },
  }
}

function linked(files: Files, from: string, to: string): boolean {
  try {
    files.link(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Makes directories whose names are durable in their parents, or a power loss could take files that were synced. Below the root each
 * is synced once by each store, also if it was there: another writer may have made it and not yet synced it.
 */
function durableDirectories(files: Files, root: string): (directory: string) => Promise<void> {
  const durable = new Set<string>()
  const ensure = async (directory: string): Promise<void> => {
    const isThere = files.exists(directory)
    if (isThere && (durable.has(directory) || !`${directory}/`.startsWith(`${root}/`))) return
    const parent = dirname(directory)
    await ensure(parent)
    files.makeDirectory(directory)
    await files.syncDirectory(parent)
    durable.add(directory)
  }
  return ensure
}

function told<Result>(key: string, act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    throw storeError(key, error)
  }
}

function storeError(key: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const code = codeOf(error) ?? 'unknown'
  const facts = { key, code }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MillraceError('STORE_FULL', {
      message: `no space is left to write '${key}'`,
      hint: 'free space on the device that holds the table; nothing that was committed is lost',
      facts,
      cause: error,
    })
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new MillraceError('STORE_DENIED', {
      message: `'${key}' can't be accessed: ${code}`,
      hint: 'give this user read and write permission for the directory, or choose another path',
      facts,
      cause: error,
    })
  }
  return new MillraceError('STORE_FAILED', {
    message: `the store failed at '${key}': ${code}`,
    hint: 'check the disk; the operation is tried again under the restart policy',
    facts,
    cause: error,
  })
}

function ignoring<Result>(code: string, act: () => Result): Result | undefined {
  try {
    return act()
  } catch (error) {
    if (codeOf(error) === code) return undefined
    throw error
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
