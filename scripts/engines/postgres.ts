/**
 * A real PostgreSQL for tests, on loopback, empty, with passwords checked: from Debian's package, which is installed if it is not there
 * (that needs root). A server of its own, in a directory of its own, away from the system's.
 *
 *   const server = await startPostgres(); ...; await server.stop()
 *   await startPostgres({ tls: { key, certificate } })        takes no connection in plain text
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INSTALLED = '/usr/lib/postgresql'

export const POSTGRES = { user: 'tester', password: 'tester-secret', database: 'postgres' } as const

export interface PostgresServer {
  readonly port: number
  /** Runs statements with psql, as the superuser; what it prints. */
  sql(statements: string): string
  /** 'immediate': as if the machine had lost its power. */
  stop(mode?: 'fast' | 'immediate'): void
  /** What was stopped, again, on the same port with the same data. */
  start(): void
  dispose(): void
}

/** PEM texts. */
export interface PostgresTls {
  readonly key: string
  readonly certificate: string
}

export async function startPostgres({
  tls,
}: {
  readonly tls?: PostgresTls
} = {}): Promise<PostgresServer> {
  const bin = programs()
  const home = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
  const owner = serverUser()
  if (owner !== undefined) chownSync(home, owner.uid, owner.gid)
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(join(bin, program), args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: home,
      env: { ...process.env, HOME: home, PGPASSWORD: POSTGRES.password },
      ...(owner ?? {}),
    })
  const secret = join(home, 'password')
  writeFileSync(secret, POSTGRES.password)
  chmodSync(secret, 0o644)
  const data = join(home, 'data')
  const access = ['-U', POSTGRES.user, '-A', 'scram-sha-256', `--pwfile=${secret}`]
  run('initdb', ['-D', data, ...access, '-E', 'UTF8', '--locale=C', '--no-sync'])
  if (tls !== undefined) {
    for (const [name, text] of [
      ['server.key', tls.key],
      ['server.crt', tls.certificate],
    ] as const) {
      writeFileSync(join(data, name), text, { mode: 0o600 })
      if (owner !== undefined) chownSync(join(data, name), owner.uid, owner.gid)
    }
    writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
  }
  const port = await freePort()
  const settings = `-c listen_addresses=127.0.0.1 -p ${port} -c unix_socket_directories=${home} -c fsync=off -c ssl=${tls === undefined ? 'off' : 'on'}`
  const server: PostgresServer = {
    port,
    sql: (statements) =>
      run('psql', [
        ...['-h', '127.0.0.1', '-p', String(port), '-U', POSTGRES.user, '-d', POSTGRES.database],
        ...['-v', 'ON_ERROR_STOP=1', '-qAt', '-c', statements],
      ]),
    stop(mode = 'fast') {
      run('pg_ctl', ['-D', data, '-m', mode, '-w', 'stop'])
    },
    start() {
      run('pg_ctl', ['-D', data, '-w', '-l', join(home, 'log'), '-o', settings, 'start'])
    },
    dispose() {
      if (existsSync(join(data, 'postmaster.pid'))) server.stop('immediate')
      rmSync(home, { recursive: true, force: true })
    },
  }
  server.start()
  return server
}

function programs(): string {
  if (!existsSync(INSTALLED))
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'postgresql'], {
      stdio: 'ignore',
    })
  const newest = readdirSync(INSTALLED).sort((left, right) => Number(right) - Number(left))[0]!
  return join(INSTALLED, newest, 'bin')
}

/** The server refuses to be root's. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
