/** Directories that last, and small files that are replaced whole: durable and complete, or as before. */
import { dirname } from 'node:path'
import type { Ports } from '../ports/ports.ts'

/** Makes `directory`, which lies in `root`, and all above it; their names are durable when it resolves. */
export async function ensureDirectory(
  ports: Ports,
  root: string,
  directory: string,
): Promise<void> {
  const { files } = ports
  const top = files.exists(root) ? root : dirname(root)
  files.makeDirectory(directory)
  // Those that exist, too: whoever made them may have ended before the sync.
  for (let above = dirname(directory); above.startsWith(top); above = dirname(above)) {
    ports.faultPoint('log.directory.sync')
    await files.syncDirectory(above)
    if (above === dirname(above)) break
  }
}

/** `name` is what fault points call it. */
export async function replaceFile(
  ports: Ports,
  path: string,
  text: string,
  name: string,
): Promise<void> {
  const temporary = `${path}.tmp`
  await writeWhole(ports, temporary, text, name)
  ports.faultPoint(`${name}.rename`)
  ports.files.rename(temporary, path)
  ports.faultPoint(`${name}.directory-sync`)
  await ports.files.syncDirectory(dirname(path))
}

/** As replaceFile, but of several that try one wins: false if `path` exists. */
export async function createFile(
  ports: Ports,
  path: string,
  text: string,
  name: string,
): Promise<boolean> {
  const temporary = `${path}.${hex(ports.random.bytes(8))}.tmp`
  await writeWhole(ports, temporary, text, name)
  ports.faultPoint(`${name}.link`)
  try {
    ports.files.link(temporary, path)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    ports.files.remove(temporary)
  }
  ports.faultPoint(`${name}.directory-sync`)
  await ports.files.syncDirectory(dirname(path))
  return true
}

/** The file's bytes as UTF-8; undefined if it is missing. */
export function readText({ files }: Ports, path: string): string | undefined {
  const bytes = readWhole(files, path)
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
}

/** Undefined if the file is missing. */
export function readWhole(files: Ports['files'], path: string): Uint8Array | undefined {
  if (!files.exists(path)) return undefined
  const file = files.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.bytes())
    return bytes.subarray(0, file.read(bytes, 0))
  } finally {
    file.close()
  }
}

/** Node's 'ENOENT', 'ENOSPC', ...; undefined for what is no file error. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

async function writeWhole(ports: Ports, path: string, text: string, name: string): Promise<void> {
  const file = ports.files.open(path, 'write')
  try {
    const bytes = new TextEncoder().encode(text)
    file.truncate(0)
    ports.faultPoint(`${name}.write`)
    file.write(bytes, 0)
    ports.faultPoint(`${name}.sync`)
    await file.sync()
  } finally {
    file.close()
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
