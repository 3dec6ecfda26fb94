/** Clients of Confluent's registry and a registry of others, fetched into `.cache/` at first use. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

const CACHE = resolve('.cache/interop')
const NODE_CLIENTS = resolve(CACHE, 'registry-node')
const PYTHON = resolve(CACHE, 'registry-python')
const APICURIO = resolve(CACHE, 'apicurio')
const APICURIO_ARTIFACT = 'io.apicurio:apicurio-registry-app:2.6.13.Final:tar.gz:all'
const NODE_PACKAGES = [
  '@kafkajs/confluent-schema-registry@4.1.0',
  '@confluentinc/schemaregistry@1.10.1',
]
const PYTHON_PACKAGES = ['confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.1']
const execFile = promisify((await import('node:child_process')).execFile)

/** What each client made of the registry at `url`: its one line of JSON. */
export async function runNodeClients(url: string): Promise<Record<string, unknown>> {
  if (!existsSync(resolve(NODE_CLIENTS, '.done'))) {
    mkdirSync(NODE_CLIENTS, { recursive: true })
    writeFileSync(resolve(NODE_CLIENTS, 'package.json'), '{"private":true}')
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...NODE_PACKAGES]
    execFileSync('npm', install, { cwd: NODE_CLIENTS, stdio: 'inherit' })
    writeFileSync(resolve(NODE_CLIENTS, '.done'), '')
  }
  return run(process.execPath, ['test/interop/registry_clients.mjs', url, NODE_CLIENTS])
}

export function runPythonClients(url: string): Promise<Record<string, unknown>> {
  return runPython('test/interop/registry_clients.py', url)
}

/** Records of Millrace's, in hex by format, read by Confluent's deserializers, and records of its serializers. */
export function exchangeWithPython(
  url: string,
  records: Readonly<Record<string, readonly string[]>>,
): Promise<Record<string, unknown>> {
  return runPython('test/interop/registry_records.py', url, JSON.stringify(records))
}

async function runPython(...args: readonly string[]): Promise<Record<string, unknown>> {
  const python = resolve(PYTHON, 'bin/python')
  if (!existsSync(resolve(PYTHON, '.done'))) {
    execFileSync('python3', ['-m', 'venv', PYTHON], { stdio: 'inherit' })
    execFileSync(python, ['-m', 'pip', 'install', '-q', ...PYTHON_PACKAGES], { stdio: 'inherit' })
    writeFileSync(resolve(PYTHON, '.done'), '')
  }
  return run(python, args)
}

async function run(command: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await execFile(command, [...args])
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}

/** An emulator of AWS that has Glue's registry, in memory; it checks no compatibility. */
export async function startMoto(port: number): Promise<Apicurio> {
  const moto = resolve(CACHE, 'moto')
  if (!existsSync(resolve(moto, '.done'))) {
    execFileSync('python3', ['-m', 'venv', moto], { stdio: 'inherit' })
    execFileSync(resolve(moto, 'bin/pip'), ['install', '-q', 'moto[server]==5.2.5'], {
      stdio: 'inherit',
    })
    writeFileSync(resolve(moto, '.done'), '')
  }
  const child = spawn(resolve(moto, 'bin/moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 120; attempt++) {
    if ((await fetch(`${url}/moto-api/`).catch(() => undefined))?.ok)
      return { url, stop: () => child.kill() }
    await setTimeout(250)
  }
  child.kill()
  throw new Error('moto does not answer')
}

export interface Apicurio {
  /** Of its Confluent API. */
  readonly url: string
  stop(): void
}

/** In memory, on a port of its own. */
export async function startApicurio(port: number): Promise<Apicurio> {
  if (!existsSync(resolve(APICURIO, '.done'))) {
    mkdirSync(APICURIO, { recursive: true })
    const [group, name, version, kind, classifier] = APICURIO_ARTIFACT.split(':')
    execFileSync(
      'mvn',
      [
        '-q',
        '-B',
        'dependency:copy',
        `-Dartifact=${APICURIO_ARTIFACT}`,
        `-DoutputDirectory=${APICURIO}`,
      ],
      { stdio: 'inherit' },
    )
    execFileSync('tar', ['xzf', `${name}-${version}-${classifier}.${kind}`], { cwd: APICURIO })
    writeFileSync(resolve(APICURIO, '.done'), group!)
  }
  const jar = execFileSync('sh', ['-c', 'ls *-runner.jar quarkus-run.jar 2>/dev/null | head -1'], {
    cwd: APICURIO,
    encoding: 'utf8',
  }).trim()
  const child = spawn(
    'java',
    [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-jar',
      jar,
    ],
    { cwd: APICURIO, stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  for (let attempt = 0; attempt < 240; attempt++) {
    const answer = await fetch(`${url}/subjects`).catch(() => undefined)
    if (answer?.ok) return { url, stop: () => child.kill() }
    await setTimeout(500)
  }
  child.kill()
  throw new Error('Apicurio does not answer')
}
