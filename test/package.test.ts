/** The published package: every dependency has a reason, its size is bounded, and the tarball works when it is installed alone. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test, { after, before } from 'node:test'

const INSTALLED_BYTES_MAX = 50 * 1024 * 1024
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))

/** Why each is there; the pages are in docs/decisions. */
const REASONS: Record<string, string> = {
  '@platformatic/kafka': "connections, authentication and requests of Kafka's protocol",
  ajv: 'holding JSON lines against JSON Schemas',
  commander: 'the command line',
  fastify: 'the HTTP server of a watched service',
  hyparquet: 'reading Parquet',
  'hyparquet-writer': 'Parquet metadata and encodings',
  pg: "connections and queries of PostgreSQL's protocol",
  pino: 'structured logs',
  'prom-client': 'metrics in the text format of Prometheus',
  yaml: 'needs files, with the place of every value',
  zod: 'checking configuration',
}

let directory: string

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-package-'))
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', directory], '.'))
  writeFileSync(join(directory, 'package.json'), '{"private":true,"type":"module"}')
  npm(['install', '--no-audit', '--no-fund', join(directory, packed.filename)], directory)
})
after(() => rmSync(directory, { recursive: true, force: true }))

test('every dependency has a reason, and every reason a dependency', () => {
  assert.deepEqual(Object.keys(manifest.dependencies).sort(), Object.keys(REASONS).sort())
})

test('the package installs without scripts', () => {
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare']
  assert.deepEqual(
    hooks.filter((hook) => hook in manifest.scripts),
    [],
  )
})

test('installed with its dependencies it is at most 50 MB', () => {
  const bytes = bytesOf(join(directory, 'node_modules'))
  assert.ok(bytes <= INSTALLED_BYTES_MAX, `${bytes} bytes`)
})

test('every subpath of the installed tarball imports', () => {
  for (const subpath of Object.keys(manifest.exports)) {
    if (subpath === './package.json') continue
    const specifier = join('millrace', subpath)
    const script = `await import(${JSON.stringify(specifier)})`
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: directory })
  }
})

test('every subpath of the installed tarball has its types, and they check', () => {
  const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json')
  const imports = subpaths.map(
    (path, index) => `import * as m${index} from '${join('millrace', path)}'`,
  )
  const uses = subpaths.map((_, index) => `export const k${index}: object = m${index}`)
  writeFileSync(join(directory, 'uses.mts'), [...imports, ...uses].join('\n'))
  const types = ['--types', 'node', '--typeRoots', resolve('node_modules/@types')]
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', ...types]
  execFileSync(resolve('node_modules/.bin/tsc'), [...options, 'uses.mts'], { cwd: directory })
})

test('the command of the installed tarball answers', () => {
  const help = execFileSync(join(directory, 'node_modules/.bin/millrace'), ['--help'], {
    encoding: 'utf8',
  })
  assert.match(help, /millrace/)
})

test('pages of audits and schemas are in the tarball, where findings and the examples of needs say that they are', () => {
  const installed = join(directory, 'node_modules/millrace')
  const examples = join(installed, 'examples/needs')
  for (const name of readdirSync(examples)) {
    const text = readFileSync(join(examples, name), 'utf8')
    const [, path] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)!
    assert.match(JSON.parse(readFileSync(join(examples, path!), 'utf8')).title, /^Needs/, name)
  }
  assert.ok(existsSync(join(installed, 'docs/audit/NEED_UNSTATED.md')))
  for (const name of ['advice', 'prices'])
    assert.ok(JSON.parse(readFileSync(join(installed, `docs/schemas/${name}.schema.json`), 'utf8')))
})

test('the demo runs from the installed tarball, without a terminal, and its commands work', () => {
  const text = { cwd: directory, encoding: 'utf8' as const, env: { ...process.env, CI: 'true' } }
  const screen = execFileSync(join(directory, 'node_modules/.bin/millrace'), ['demo'], text)
  assert.match(screen, /0 lost, 0 duplicated/)
  const project = { ...text, cwd: join(directory, 'millrace-demo') }
  const query = ['query', 'SELECT COUNT(*) AS rows_there FROM revenue', '--json']
  assert.match(execFileSync('./millrace', query, project), /"rows_there":\d{3}/)
})

/** As a disk gives them: whole blocks, folders too. */
function bytesOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  const own = stat.blocks * 512
  if (!stat.isDirectory()) return own
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), own)
}
