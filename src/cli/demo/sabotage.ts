/** Damages the finished table behind everyone's back, so that the check can be seen to fail. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TABLE_PATH } from './demo-project.ts'

interface Add {
  readonly path: string
  readonly size: number
  readonly partitionValues: Readonly<Record<string, string>>
}

/** Takes a data file out of the table, or puts a copy of one in, as a commit of its own. */
export function sabotage(directory: string, how: 'lose' | 'duplicate'): void {
  const table = join(directory, TABLE_PATH)
  const log = join(table, '_delta_log')
  const commits = readdirSync(log)
    .filter((name) => /^\d{20}\.json$/.test(name))
    .sort()
  const actions = commits.flatMap((name) =>
    readFileSync(join(log, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): { add?: Add } => JSON.parse(line)),
  )
  const adds = actions.map(({ add }) => add).filter((add) => add !== undefined)
  const victim = adds[Math.floor(adds.length / 2)]!
  const next = String(commits.length).padStart(20, '0')
  writeFileSync(join(log, `${next}.json`), `${JSON.stringify(damage(table, victim, how))}\n`)
}

function damage(table: string, victim: Add, how: 'lose' | 'duplicate'): unknown {
  const stamp = Date.now()
  if (how === 'lose') {
    return { remove: { path: victim.path, deletionTimestamp: stamp, dataChange: true } }
  }
  const path = `copy-${victim.path.replaceAll('/', '-')}`
  copyFileSync(join(table, victim.path), join(table, path))
  return { add: { ...victim, path, modificationTime: stamp, dataChange: true } }
}
