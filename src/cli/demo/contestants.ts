/**
 * The two programs of the demo, each in a process of its own that is killed (SIGKILL) once and started again.
 *
 * Millrace dies between a sink's prepare and its commit, with windows open. The naive program dies having read as much, by a hook
 * that is loaded before it: the program itself is as anyone would write it.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

const isSource = import.meta.url.endsWith('.ts')
/** The command line's own file. */
export const MAIN = fileURLToPath(new URL(isSource ? '../main.ts' : '../main.js', import.meta.url))
const NAIVE = fileURLToPath(
  new URL(isSource ? '../../../examples/naive.ts' : '../../examples/naive.js', import.meta.url),
)

/** The fault point at which the pipeline is killed: its table's rows are prepared, its commit has not begun. */
export const KILL_POINT = 'delta-commit-before'

/** `millrace run` in the project; `killAt` is a fault point. */
export function runMillrace(
  directory: string,
  args: readonly string[],
  killAt?: string,
): Promise<Exit> {
  const environment = killAt === undefined ? {} : { MILLRACE_KILL_AT: killAt }
  return run([MAIN, 'run', ...args], directory, environment)
}

/** The naive program on the project's events; dead once it has noted that it read beyond `killBehindBytes`. */
export function runNaive(directory: string, killBehindBytes?: number): Promise<Exit> {
  const files = ['events.jsonl', 'naive/revenue.jsonl', 'naive/offset.json']
  if (killBehindBytes === undefined) return run([NAIVE, ...files], directory, {})
  const hook = join(directory, 'naive', 'kill.mjs')
  writeFileSync(hook, killHook(killBehindBytes))
  return run(['--import', hook, NAIVE, ...files], directory, {})
}

function killHook(bytes: number): string {
  return `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const write = fs.writeFileSync
fs.writeFileSync = (file, text, ...rest) => {
  write(file, text, ...rest)
  if (Number(text) > ${bytes}) process.kill(process.pid, 'SIGKILL')
}
syncBuiltinESMExports()
`
}

function run(
  args: readonly string[],
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: directory,
      env: { ...process.env, NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ code, signal, output: Buffer.concat(chunks).toString() }),
    )
  })
}
