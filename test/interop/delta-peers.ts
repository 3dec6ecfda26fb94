/** The other engines of the Delta tests: fetched into `.cache/` at first use, each driven as a Python process by JSON lines. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

const CACHE = resolve('.cache/interop')
const PYTHON = resolve(CACHE, 'delta/bin/python')
const PACKAGES = [
  'deltalake==1.6.6',
  'pyarrow==26.0.1',
  'duckdb==1.4.4',
  'duckdb-ext-delta==1.4.4.20260205',
  'pyspark==4.1.4',
]
const JARS = ['io.delta:delta-spark_4.1_2.13:4.4.0', 'io.delta:delta-storage:4.4.0']

export type PeerName = 'delta-rs' | 'duckdb' | 'spark'
export type Told = null | boolean | string | readonly Told[]

export interface Where {
  readonly column: string
  readonly operator: '=' | '<' | '>'
  readonly kind: 'integer' | 'string'
  readonly value: string
}

export interface Peer {
  readonly name: PeerName
  read(path: string, columns: readonly string[], where?: Where): Promise<Told[][]>
  ask(act: string, ...args: readonly unknown[]): Promise<unknown>
  close(): void
}

/** Python with all packages, and Spark's jars. */
export function fetchPeers(): void {
  if (existsSync(resolve(CACHE, 'delta/.done'))) return
  mkdirSync(CACHE, { recursive: true })
  execFileSync('python3', ['-m', 'venv', resolve(CACHE, 'delta')], { stdio: 'inherit' })
  execFileSync(PYTHON, ['-m', 'pip', 'install', '-q', ...PACKAGES], { stdio: 'inherit' })
  for (const artifact of JARS) {
    const output = `-DoutputDirectory=${resolve(CACHE, 'delta-jars')}`
    execFileSync('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, output], {
      stdio: 'inherit',
    })
  }
  writeFileSync(resolve(CACHE, 'delta/.done'), '')
}

export function startPeer(name: PeerName): Peer {
  const jars = name === 'spark' ? [globSync(resolve(CACHE, 'delta-jars/*.jar')).join(',')] : []
  const child = spawn(PYTHON, ['test/interop/delta_peer.py', name, ...jars], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TZ: 'UTC', SPARK_LOCAL_IP: '127.0.0.1' },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (act: string, ...args: readonly unknown[]): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify({ act, arguments: args })}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended`)
    const answer: { answer?: unknown; error?: string } = JSON.parse(value)
    if (answer.error !== undefined) throw new Error(`${name}: ${answer.error}`)
    return answer.answer
  }
  return {
    name,
    ask,
    async read(path, columns, where) {
      return (await ask('read', path, columns, where ?? null)) as Told[][]
    },
    close() {
      child.stdin.end()
    },
  }
}
