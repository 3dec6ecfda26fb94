import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { templateFiles } from './init/template.ts'
import { type Io, processIo } from './io.ts'
import { dataDirectoryOf, fileName, loadProject, nameFromFile, pipelineFiles } from './project.ts'

async function inProject(
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (io: Io, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-project-'))
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), content)
    }
    await body({ ...processIo(), directory }, directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('tables and pipelines are found by folder, in the order of their names', async () => {
  const files = {
    'tables/b.sql': 'b',
    'tables/a.sql': 'a',
    'tables/notes.md': '',
    'pipelines/two.sql': '2',
    'pipelines/one.ts': 'export default 1',
    'pipelines/one.test.ts': '',
    'pipelines/types.d.ts': '',
  }
  await inProject(files, async (io, directory) => {
    const project = await loadProject(io, {})
    assert.deepEqual(project.tables, [
      { name: join('tables', 'a.sql'), text: 'a' },
      { name: join('tables', 'b.sql'), text: 'b' },
    ])
    assert.deepEqual(project.pipelines.map(fileName), [
      join('pipelines', 'one.ts'),
      join('pipelines', 'two.sql'),
    ])
    assert.equal(project.dataDirectory, join(directory, '.millrace'))
  })
})

test('a pipeline is named by its file, or by its name in the project', async () => {
  await inProject({ 'pipelines/two.sql': '2', 'other.sql': 'o' }, async (io) => {
    const project = await loadProject(io, {})
    assert.deepEqual(pipelineFiles(project, io, ['two']).map(fileName), [
      join('pipelines', 'two.sql'),
    ])
    assert.deepEqual(pipelineFiles(project, io, ['other.sql']).map(fileName), ['other.sql'])
    assert.equal(nameFromFile('pipelines/revenue.by.day.sql'), 'revenue.by.day')
    assert.throws(() => pipelineFiles(project, io, ['gone.sql']), { code: 'FILE_UNREADABLE' })
    assert.throws(() => pipelineFiles(project, io, ['gone']), { code: 'FILE_UNREADABLE' })
  })
})

test('a folder without pipelines is an empty project, and a missing folder is none', async () => {
  await inProject({}, async (io) => {
    const project = await loadProject(io, {})
    assert.throws(() => pipelineFiles(project, io, []), { code: 'PROJECT_MISSING' })
    await assert.rejects(loadProject(io, { project: 'gone' }), { code: 'PROJECT_MISSING' })
  })
})

test('a file that is no UTF-8 is refused by name', async () => {
  await inProject({ 'tables/a.sql': new Uint8Array([0xff, 0xfe]) }, async (io) => {
    await assert.rejects(loadProject(io, {}), {
      code: 'FILE_UNREADABLE',
      message: /tables.a\.sql: it is no valid UTF-8/,
    })
  })
})

test('the config is checked, every wrong field named; --data beats it', async () => {
  const good = "export default { data: 'state', workers: 2, log: { level: 'warn' } }"
  await inProject({ 'millrace.config.ts': good }, async (io, directory) => {
    const { config, dataDirectory } = await loadProject(io, {})
    assert.deepEqual([config.workers, config.log.level], [2, 'warn'])
    assert.equal(dataDirectory, join(directory, 'state'))
    assert.equal(await dataDirectoryOf(io, { data: 'elsewhere' }), join(directory, 'elsewhere'))
  })
  const wrong = "export default { data: '', worker: 2, http: { token: 'short' } }"
  await inProject({ 'millrace.config.ts': wrong }, async (io) => {
    await assert.rejects(loadProject(io, {}), (error: Error) => {
      assert.match(error.message, /data: .*; http\.token: .*; the default export: .*worker/s)
      return true
    })
  })
  for (const broken of [
    'export default 7',
    'export const a = 1',
    'export default {',
    'throw new Error("x")',
  ])
    await inProject({ 'millrace.config.ts': broken }, async (io) => {
      await assert.rejects(loadProject(io, {}), { code: 'CONFIG_INVALID' }, broken)
    })
})

test('the project that init makes has a valid config', async () => {
  const files = Object.fromEntries(templateFiles('shop').map(({ path, text }) => [path, text]))
  await inProject(files, async (io) => {
    const project = await loadProject(io, {})
    assert.deepEqual(project.config, {
      data: '.millrace',
      workers: 1,
      http: {},
      log: { level: 'info' },
    })
  })
})
