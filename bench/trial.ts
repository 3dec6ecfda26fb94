/** Runs a trial in a process of its own: nothing of one query (compiled code, memory) is there for the next. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Measured, Trial } from './run-one.ts'

/** @throws what the process says when it fails */
export async function runTrial(trial: Trial): Promise<Measured> {
  const script = join(import.meta.dirname, 'run-one.ts')
  const run = promisify(execFile)(process.execPath, ['--expose-gc', script, JSON.stringify(trial)])
  const { stdout } = await run.catch((error: { readonly stderr?: string }) => {
    throw new Error(`${trial.query}: ${error.stderr?.trim()}`)
  })
  return JSON.parse(stdout) as Measured
}
