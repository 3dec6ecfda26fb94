/** Kills a real pipeline's process so many times, lets it finish, and compares what an independent reader finds. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readDeltaIndependently } from '../../src/cli/demo/independent-reader.ts'

const PROGRAM = new URL('./kill-pipeline.ts', import.meta.url).pathname
const WINDOW_EVENTS = 10

export interface Rounds {
  readonly kills: number
  readonly found: readonly string[]
  readonly expected: readonly string[]
}

/** Each result as `events sum`, sorted. @throws if the last run fails */
export async function killRounds(kills: number, events: number): Promise<Rounds> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-killed-'))
  let killed = 0
  while (killed < kills) if (await killOnce(directory, events)) killed++
  const [code] = await once(run(directory, events, 'finish'), 'close')
  if (code !== 0) throw new Error(`the last run ended with ${code}, in ${directory}`)
  const found: string[] = []
  for await (const row of readDeltaIndependently(join(directory, 'sums'))) {
    found.push(`${row.events} ${row.total}`)
  }
  rmSync(directory, { recursive: true })
  const expected: string[] = []
  for (let from = 0; from < events; from += WINDOW_EVENTS) {
    const sum = WINDOW_EVENTS * from + (WINDOW_EVENTS * (WINDOW_EVENTS - 1)) / 2
    expected.push(`${WINDOW_EVENTS} ${sum}`)
  }
  return { kills: killed, found: found.sort(), expected: expected.sort() }
}

async function killOnce(directory: string, events: number): Promise<boolean> {
  const child = run(directory, events, 'feed')
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
  const wasAlive = child.kill('SIGKILL')
  const [code] = await closed
  if (!wasAlive) throw new Error(`a run ended by itself with ${code}, in ${directory}`)
  return true
}

function run(directory: string, events: number, mode: string) {
  return spawn(process.execPath, [PROGRAM, directory, String(events), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
