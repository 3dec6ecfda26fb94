/**
 * A real Apache Flink for tests and benchmarks: session cluster and SQL Gateway on loopback, from the package registries,
 * kept below `.cache/engines/flink`. Needs Java 17, Maven, pip and python3.
 *
 *   node scripts/engines/flink.ts start | stop
 *
 * The wheel has the jars but none of the shell scripts, so every memory size and module opening is told here.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { launch, pidIn, stop, untilUp } from './process.ts'

const VERSION = '2.2.1'
const KAFKA_CONNECTOR = '5.0.0-2.2'
const HOME = resolve('.cache/engines/flink')
const REST_PORT = 18081
const GATEWAY_PORT = 18083
export const FLINK_REST: string = `http://127.0.0.1:${REST_PORT}`
export const FLINK_GATEWAY: string = `http://127.0.0.1:${GATEWAY_PORT}/v1`
const PROCESSES = ['jobmanager', 'taskmanager', 'gateway'] as const
type Process = (typeof PROCESSES)[number]
const TASK_HEAP_MB = 1536
const START_TIMEOUT_MS = 120_000

/** Starts it unless it runs; resolves when the gateway and one task manager answer. */
export async function startFlink(): Promise<void> {
  if (await isFlinkUp()) return
  install()
  await stopFlink()
  configure()
  launchJava('jobmanager', '-Xmx512m', [
    'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
    '--configDir',
    join(HOME, 'conf'),
    '--executionMode',
    'cluster',
  ])
  launchJava('taskmanager', `-Xmx${TASK_HEAP_MB + 128}m`, [
    'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
    '--configDir',
    join(HOME, 'conf'),
  ])
  launchJava('gateway', '-Xmx512m', [
    'org.apache.flink.table.gateway.SqlGateway',
    '-Dsql-gateway.endpoint.rest.address=127.0.0.1',
  ])
  await untilUp('Flink', isFlinkUp, START_TIMEOUT_MS, join(HOME, 'log'))
}

export async function stopFlink(): Promise<void> {
  for (const name of PROCESSES) await stop(pidFile(name))
}

/** CPU seconds, user and system, that the task manager has used: what a benchmark counts. */
export function flinkCpuSeconds(): number {
  const pid = pidIn(pidFile('taskmanager'))
  if (pid === undefined) throw new Error('the task manager does not run')
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(stat[11]) + Number(stat[12])) / 100
}

function install(): void {
  if (existsSync(join(HOME, 'dist/.done'))) return
  mkdirSync(join(HOME, 'dist'), { recursive: true })
  const inherit = { cwd: HOME, stdio: 'inherit' } as const
  execFileSync(
    'pip',
    ['download', '-q', '--no-deps', '-d', 'wheel', `apache-flink-libraries==${VERSION}`],
    inherit,
  )
  const unzip =
    "import glob,zipfile\nz=zipfile.ZipFile(glob.glob('wheel/*.whl')[0])\n" +
    "[z.extract(i,'dist') for i in z.infolist() if i.filename.startswith(('pyflink/lib/','pyflink/plugins/metrics-prom'))]"
  execFileSync('python3', ['-c', unzip], inherit)
  rmSync(join(HOME, 'wheel'), { recursive: true })
  writeFileSync(join(HOME, 'pom.xml'), pom())
  execFileSync(
    'mvn',
    [
      '-q',
      '-B',
      'dependency:copy-dependencies',
      '-DexcludeTransitive=true',
      `-DoutputDirectory=${join(HOME, 'extra')}`,
    ],
    inherit,
  )
  writeFileSync(join(HOME, 'dist/.done'), '')
}

function pom(): string {
  const dependency = (artifact: string, version: string): string =>
    `<dependency><groupId>org.apache.flink</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>millrace.engines</groupId><artifactId>flink</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependency('flink-sql-gateway', VERSION)}${dependency('flink-sql-connector-kafka', KAFKA_CONNECTOR)}</dependencies></project>
`
}

function configure(): void {
  for (const folder of ['conf', 'log', 'checkpoints'])
    mkdirSync(join(HOME, folder), { recursive: true })
  const settings = {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.bind-host': '127.0.0.1',
    'jobmanager.rpc.port': 16123,
    'jobmanager.memory.process.size': '1024m',
    'taskmanager.host': '127.0.0.1',
    'taskmanager.bind-host': '127.0.0.1',
    'taskmanager.numberOfTaskSlots': 4,
    'taskmanager.cpu.cores': '4.0',
    'taskmanager.memory.framework.heap.size': '128m',
    'taskmanager.memory.framework.off-heap.size': '128m',
    'taskmanager.memory.task.heap.size': `${TASK_HEAP_MB}m`,
    'taskmanager.memory.task.off-heap.size': '0m',
    'taskmanager.memory.managed.size': '512m',
    'taskmanager.memory.network.min': '128m',
    'taskmanager.memory.network.max': '128m',
    'taskmanager.memory.jvm-metaspace.size': '512m',
    'taskmanager.memory.jvm-overhead.min': '256m',
    'taskmanager.memory.jvm-overhead.max': '256m',
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'rest.port': REST_PORT,
    'parallelism.default': 1,
    'pipeline.object-reuse': true,
    'execution.checkpointing.dir': `file://${join(HOME, 'checkpoints')}`,
    'state.backend.type': 'hashmap',
    'classloader.check-leaked-classloader': false,
    'classloader.resolve-order': 'parent-first',
    'sql-gateway.endpoint.rest.address': '127.0.0.1',
    'sql-gateway.endpoint.rest.bind-address': '127.0.0.1',
    'sql-gateway.endpoint.rest.port': GATEWAY_PORT,
  }
  const yaml = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`)
  writeFileSync(join(HOME, 'conf/config.yaml'), yaml.join(''))
  writeFileSync(
    join(HOME, 'conf/log4j.properties'),
    'rootLogger.level=warn\nrootLogger.appenderRef.f.ref=f\nappender.f.type=Console\nappender.f.name=f\n' +
      'appender.f.layout.type=PatternLayout\nappender.f.layout.pattern=%d{HH:mm:ss,SSS} %-5p %c{1} - %m%n\n',
  )
}

function launchJava(name: Process, heap: string, command: readonly string[]): void {
  const classPath = `${join(HOME, 'dist/pyflink/lib')}/*:${join(HOME, 'extra')}/*`
  const logging = `-Dlog4j.configurationFile=${join(HOME, 'conf/log4j.properties')}`
  launch({
    program: 'java',
    args: [heap, ...moduleOpenings(), logging, '-cp', classPath, ...command],
    directory: HOME,
    environment: {
      FLINK_CONF_DIR: join(HOME, 'conf'),
      FLINK_LIB_DIR: join(HOME, 'dist/pyflink/lib'),
      FLINK_PLUGINS_DIR: join(HOME, 'dist/pyflink/plugins'),
    },
    logFile: join(HOME, 'log', `${name}.log`),
    pidFile: pidFile(name),
  })
}

function pidFile(name: Process): string {
  return join(HOME, `${name}.pid`)
}

function moduleOpenings(): string[] {
  const exported = ['api', 'file', 'parser', 'tree', 'util'].map(
    (part) => `--add-exports=jdk.compiler/com.sun.tools.javac.${part}=ALL-UNNAMED`,
  )
  const packages = [
    'lang',
    'net',
    'io',
    'nio',
    'lang.reflect',
    'text',
    'time',
    'util',
    'util.concurrent',
    'util.concurrent.atomic',
    'util.concurrent.locks',
  ]
  const opened = packages.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`)
  return [
    ...exported,
    ...opened,
    '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
    '--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED',
  ]
}

/** Whether the gateway and one task manager answer. */
export async function isFlinkUp(): Promise<boolean> {
  try {
    await fetch(`${FLINK_GATEWAY}/info`)
    const overview = (await (await fetch(`${FLINK_REST}/overview`)).json()) as {
      taskmanagers?: number
    }
    return overview.taskmanagers === 1
  } catch {
    return false
  }
}

if (import.meta.main) {
  if (process.argv[2] === 'stop') await stopFlink()
  else await startFlink()
}
