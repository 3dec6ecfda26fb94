/** Processes of engines: each outlives who starts it, and is found again by the pid in a file beside its log. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ends of their own take some: a broker closes its log. */
const STOP_TIMEOUT_MS = 30_000

export interface Launched {
  readonly program: string
  readonly args: readonly string[]
  readonly directory: string
  readonly environment?: Readonly<Record<string, string>>
  /** What it prints is added. */
  readonly logFile: string
  readonly pidFile: string
}

export function launch({
  program,
  args,
  directory,
  environment,
  logFile,
  pidFile,
}: Launched): void {
  const log = openSync(logFile, 'a')
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdio: ['ignore', log, log],
    detached: true,
  })
  child.unref()
  closeSync(log)
  writeFileSync(pidFile, String(child.pid))
}

/** @throws if it is not up within `timeoutMs`: `where` says what to read then */
export async function untilUp(
  name: string,
  isUp: () => Promise<boolean>,
  timeoutMs: number,
  where: string,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isUp())) {
    if (Date.now() > deadline) throw new Error(`${name} did not start: see ${where}`)
    await sleep(100)
  }
}

/** Resolves when it is gone: whoever starts it next must not find the one that is about to end. */
export async function stop(
  pidFile: string,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  const pid = pidIn(pidFile)
  if (pid === undefined) return
  try {
    process.kill(pid, signal)
    const deadline = Date.now() + STOP_TIMEOUT_MS
    while (isAlive(pid) && Date.now() < deadline) await sleep(100)
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
  rmSync(pidFile, { force: true })
}

export function pidIn(pidFile: string): number | undefined {
  return existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1')
    const told = (up: boolean) => {
      socket.destroy()
      answer(up)
    }
    socket.once('connect', () => told(true))
    socket.once('error', () => told(false))
  })
}
