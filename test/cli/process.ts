/** The real command in real processes, in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** What came so far, on stdout and then on stderr. */
  said(): string
  /** Resolves when stdout or stderr holds it; rejects if the process ends before. */
  until(text: string | RegExp): Promise<void>
}

export function start(
  directory: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Started {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '', FORCE_COLOR: '', ...environment },
  })
  let out = ''
  let err = ''
  const waiting: (() => void)[] = []
  const look = () => {
    for (const check of [...waiting]) check()
  }
  child.stdout.on('data', (bytes) => {
    out += bytes
    look()
  })
  child.stderr.on('data', (bytes) => {
    err += bytes
    look()
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }))
  })
  return {
    child,
    ended,
    said: () => out + err,
    until: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const isThere =
            typeof text === 'string' ? (out + err).includes(text) : text.test(out + err)
          if (isThere) resolve()
        }
        waiting.push(check)
        check()
        void ended.then(() => reject(new Error(`it ended without saying ${text}: ${out}${err}`)))
      }),
  }
}

/** Runs one command to its end. */
export function millrace(
  directory: string,
  args: readonly string[],
  input = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const started = start(directory, args, environment)
  started.child.stdin?.on('error', () => {})
  started.child.stdin?.end(input)
  return started.ended
}

export async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
