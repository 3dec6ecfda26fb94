/** Our own golden files, which see no project. */
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseGolden } from '../../src/testing/golden/golden-file.ts'
import { bindGolden, type GoldenProject, type Scenario } from '../../src/testing/golden/scenario.ts'

const ALONE: GoldenProject = {
  tables: '',
  directory: '.',
  pipeline: (name) => Promise.reject(new Error(`there is no project to have a pipeline ${name}`)),
}

/** `edit`: how tables are created instead. */
export function readScenarios(
  edit: (create: string) => string = (create) => create,
): Promise<readonly Scenario[]> {
  const paths = globSync('test/golden/*.golden').sort()
  return Promise.all(
    paths.map((path) => {
      const file = parseGolden(path, readFileSync(path, 'utf8'))
      return bindGolden({ ...file, creates: file.creates.map(edit) }, ALONE)
    }),
  )
}

export function nameOf({ path }: Scenario): string {
  return basename(path, '.golden').replaceAll('-', ' ')
}
