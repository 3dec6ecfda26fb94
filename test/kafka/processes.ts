/** Pipelines in processes of their own, told by their lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PROGRAM = new URL('./pipeline-process.ts', import.meta.url).pathname

export interface PipelineProcess {
  readonly child: ChildProcess
  readonly lines: string[]
  /** Resolves with the first line that matches, of those from `from` on. @throws if the process ends without one */
  line(pattern: RegExp, from?: number): Promise<string>
  /** The exit code, or undefined for one that was killed. */
  readonly ended: Promise<number | undefined>
}

export interface Life {
  /** Ends when everything is read. */
  readonly end?: boolean
  /** A fault point, with ':n' the nth time. */
  readonly killAt?: string
  readonly workers?: number
}

const launched: ChildProcess[] = []

/** None outlives its test, not even one that is stopped. */
export function killAll(): void {
  for (const child of launched.splice(0)) child.kill('SIGKILL')
}

export function launch(
  directory: string,
  sql: string,
  { end = false, killAt, workers = 1 }: Life = {},
): PipelineProcess {
  const file = join(directory, 'pipeline.sql')
  writeFileSync(file, sql)
  const args = [PROGRAM, join(directory, 'data'), file, ...(end ? ['end'] : [])]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      WORKERS: `${workers}`,
      ...(killAt === undefined ? {} : { KILL_AT: killAt }),
    },
  })
  launched.push(child)
  const lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  const ended = once(child, 'close').then(([code]) => (code === null ? undefined : Number(code)))
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  return {
    child,
    lines,
    ended,
    async line(pattern, from = 0) {
      for (;;) {
        const found = lines.slice(from).find((each) => pattern.test(each))
        if (found !== undefined) return found
        if (isOver) throw new Error(`it ended without ${pattern}: ${lines.join('\n')}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

export function kill(process_: PipelineProcess): Promise<number | undefined> {
  process_.child.kill('SIGKILL')
  return process_.ended
}
