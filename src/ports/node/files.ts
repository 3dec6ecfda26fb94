/** Local files by node:fs. Reads go straight into the given memory, which may be a worker's shared linear memory. */
import {
  closeSync,
  existsSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import type { FileHandle, FileStat, Files } from '../files.ts'

// O_RDWR | O_CREAT without O_APPEND: positions are ours, and what is there stays.
const OPEN_FLAGS = { read: 'r', write: 'a+', create: 'wx+' } as const

/** Always the same one: who must be alone in a process with a directory can tell by it. */
export function nodeFiles(): Files {
  return FILES
}

const FILES: Files = {
  open,
  exists: existsSync,
  list: (path) => readdirSync(path).sort(),
  makeDirectory(path) {
    mkdirSync(path, { recursive: true })
  },
  rename: renameSync,
  link: linkSync,
  remove(path) {
    rmSync(path, { recursive: true })
  },
  stat,
  syncDirectory,
}

function open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
  return fileHandle(openDescriptor(path, mode))
}

function openDescriptor(path: string, mode: 'read' | 'write' | 'create'): number {
  if (mode !== 'write') return openSync(path, OPEN_FLAGS[mode])
  // 'a+' would ignore positions on Linux: it only makes the file, without cutting one that is there.
  closeSync(openSync(path, OPEN_FLAGS.write))
  return openSync(path, 'r+')
}

function fileHandle(descriptor: number): FileHandle {
  return {
    read(into, position) {
      let filled = 0
      while (filled < into.length) {
        const count = readSync(descriptor, into, filled, into.length - filled, position + filled)
        if (count === 0) break
        filled += count
      }
      return filled
    },
    write(bytes, position) {
      let written = 0
      while (written < bytes.length)
        written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
    },
    truncate(bytes) {
      ftruncateSync(descriptor, bytes)
    },
    bytes: () => fstatSync(descriptor).size,
    sync: () => settled((done) => fdatasync(descriptor, done)),
    close() {
      closeSync(descriptor)
    },
  }
}

function stat(path: string): FileStat | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  return { bytes: found.size, modifiedMs: found.mtimeMs, isDirectory: found.isDirectory() }
}

async function syncDirectory(path: string): Promise<void> {
  const descriptor = openSync(path, 'r')
  try {
    await settled((done) => fsync(descriptor, done))
  } finally {
    closeSync(descriptor)
  }
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)))
  })
}
