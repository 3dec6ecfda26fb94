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

/** Where the results go, and how they are read there: each as `events sum`. */
export interface Lake {
  readonly table: string
  read(): Promise<string[]>
}

/** Sorted. Without `lake` the table is a local one. @throws if the last run fails */
export async function killRounds(kills: number, events: number, lake?: Lake): Promise<Rounds> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-killed-'))
  const { table, read } = lake ?? localLake(join(directory, 'sums'))
  const life: Life = { directory, events, table }
  let killed = 0
  while (killed < kills) if (await killOnce(life)) killed++
  const [code] = await once(run(life, 'finish'), 'close')
  if (code !== 0) throw new Error(`the last run ended with ${code}, in ${directory}`)
  const found = await read()
  rmSync(directory, { recursive: true })
  const expected: string[] = []
  for (let from = 0; from < events; from += WINDOW_EVENTS) {
    const sum = WINDOW_EVENTS * from + (WINDOW_EVENTS * (WINDOW_EVENTS - 1)) / 2
    expected.push(`${WINDOW_EVENTS} ${sum}`)
  }
  return { kills: killed, found: found.sort(), expected: expected.sort() }
}

function localLake(table: string): Lake {
  return {
    table,
    async read() {
      const found: string[] = []
      for await (const row of readDeltaIndependently(table))
        found.push(`${row.events} ${row.total}`)
      return found
    },
  }
}

interface Life {
  readonly directory: string
  readonly events: number
  readonly table: string
}

async function killOnce(life: Life): Promise<boolean> {
  const child = run(life, 'feed')
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
  const wasAlive = child.kill('SIGKILL')
  const [code] = await closed
  if (!wasAlive) throw new Error(`a run ended by itself with ${code}, in ${life.directory}`)
  return true
}

function run({ directory, events, table }: Life, mode: string) {
  return spawn(process.execPath, [PROGRAM, directory, String(events), mode, table], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
