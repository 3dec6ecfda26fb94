/**
 * A real Apache Kafka for tests and benchmarks: one KRaft node on loopback, from Maven Central, kept below `.cache/engines/kafka`.
 * Needs Java 17, Maven and openssl.
 *
 *   node scripts/engines/kafka.ts start | stop | kill
 *
 * Listeners: 9092 open, as documentation has it, and 19092 open; 19094 SASL (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER with unsigned tokens); 19095 TLS with client
 * certificates; 19096 TLS and SASL. Users: `reader` with password `reader-secret`, who may do everything; `stranger` with
 * `stranger-secret`, by PLAIN, who may do nothing.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isListening, launch, pidIn, stop, untilUp } from './process.ts'

const VERSION = '4.3.1'
const HOME = resolve('.cache/engines/kafka')
const LIBS = join(HOME, 'libs')
export const KAFKA_PORT = 19092
export const KAFKA_SASL_PORT = 19094
export const KAFKA_MTLS_PORT = 19095
export const KAFKA_SASL_TLS_PORT = 19096
const LOCAL_PORT = 9092
const CONTROLLER_PORT = 19093
export const KAFKA: string = `127.0.0.1:${KAFKA_PORT}`
export const KAFKA_USER = 'reader'
export const KAFKA_PASSWORD = 'reader-secret'
export const KAFKA_STRANGER = 'stranger'
export const KAFKA_STRANGER_PASSWORD = 'stranger-secret'
/** Certificate files: ca.pem, broker.pem (key and certificate), client.key, client.pem. */
export const KAFKA_CERTIFICATES: string = join(HOME, 'certificates')
const START_TIMEOUT_MS = 90_000
const LOGGING = `-Dlog4j2.configurationFile=${join(HOME, 'log4j2.properties')}`

/** Starts it unless it runs; resolves when it takes connections. Data of earlier starts is kept. */
export async function startKafka(): Promise<void> {
  if (await isKafkaUp()) return
  install()
  configure()
  if (!existsSync(join(HOME, 'data/meta.properties'))) format()
  await startNode(HOME, KAFKA_PORT)
}

/** With `signal` SIGKILL it is a crash: the next start recovers. */
export async function stopKafka(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  await stopNode(HOME, signal)
}

/** Starts the node of which server.properties lie in `directory`; resolves when it takes connections at `port`. */
export async function startNode(directory: string, port: number): Promise<void> {
  const logFile = join(directory, 'kafka.log')
  const heap = ['-Xms256m', '-Xmx1g', '-XX:+UseG1GC']
  launch({
    program: 'java',
    args: [...heap, LOGGING, '-cp', `${LIBS}/*`, 'kafka.Kafka', 'server.properties'],
    directory,
    logFile,
    pidFile: pidFile(directory),
  })
  await untilUp('Kafka', () => isListening(port), START_TIMEOUT_MS, logFile)
}

export async function stopNode(directory: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  await stop(pidFile(directory), signal)
}

function pidFile(directory: string): string {
  return join(directory, 'kafka.pid')
}

export function kafkaPid(): number | undefined {
  return pidIn(pidFile(HOME))
}

export function isKafkaUp(): Promise<boolean> {
  return isListening(KAFKA_PORT)
}

/** Runs a class of Kafka's own tools and returns what it prints. */
export function kafkaTool(name: string, args: readonly string[], input?: string): string {
  return execFileSync('java', [LOGGING, '-cp', `${LIBS}/*`, name, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'ignore'],
    ...(input === undefined ? {} : { input }),
  })
}

/** The class path of all of Kafka, Kafka Streams included: for programs of benchmarks. */
export function kafkaClassPath(): string {
  install()
  return `${LIBS}/*`
}

function install(): void {
  if (existsSync(join(LIBS, '.done'))) return
  mkdirSync(HOME, { recursive: true })
  const dependency = (artifact: string): string =>
    `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${VERSION}</version></dependency>`
  writeFileSync(
    join(HOME, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>millrace.engines</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${['kafka_2.13', 'kafka-tools', 'kafka-streams'].map(dependency).join('')}
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
</dependencies></project>
`,
  )
  const output = `-DoutputDirectory=${LIBS}`
  execFileSync(
    'mvn',
    ['-q', '-B', 'dependency:copy-dependencies', output, '-DincludeScope=runtime'],
    {
      cwd: HOME,
      stdio: 'inherit',
    },
  )
  writeFileSync(join(LIBS, '.done'), '')
}

function configure(): void {
  makeCertificates()
  writeFileSync(
    join(HOME, 'log4j2.properties'),
    'status=error\nrootLogger.level=warn\nrootLogger.appenderRef.c.ref=c\nappender.c.type=Console\nappender.c.name=c\n' +
      'appender.c.target=SYSTEM_ERR\nappender.c.layout.type=PatternLayout\nappender.c.layout.pattern=%d %p %m (%c)%n\n',
  )
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const bearer = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'
  const listeners = {
    PLAINTEXT: KAFKA_PORT,
    CONTROLLER: CONTROLLER_PORT,
    SASL_PLAINTEXT: KAFKA_SASL_PORT,
    SSL: KAFKA_MTLS_PORT,
    SASL_SSL: KAFKA_SASL_TLS_PORT,
  }
  const addresses = [
    ...Object.entries(listeners).map(([name, port]) => `${name}://127.0.0.1:${port}`),
    `LOCAL://localhost:${LOCAL_PORT}`,
  ]
  const mechanisms = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER'
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${CONTROLLER_PORT}`,
    listeners: addresses.join(','),
    'advertised.listeners': addresses.filter((each) => !each.startsWith('CONTROLLER')).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL',
    'log.dirs': join(HOME, 'data'),
    'num.partitions': 1,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'log.segment.bytes': 268435456,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(KAFKA_CERTIFICATES, 'broker.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(KAFKA_CERTIFICATES, 'ca.pem'),
    'listener.name.ssl.ssl.client.auth': 'required',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${KAFKA_USER};User:CN=client`,
  }
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    const name = `listener.name.${listener}`
    settings[`${name}.sasl.enabled.mechanisms`] = mechanisms
    settings[`${name}.plain.sasl.jaas.config`] =
      `${plain} user_${KAFKA_USER}="${KAFKA_PASSWORD}" user_${KAFKA_STRANGER}="${KAFKA_STRANGER_PASSWORD}";`
    settings[`${name}.scram-sha-256.sasl.jaas.config`] = scram
    settings[`${name}.scram-sha-512.sasl.jaas.config`] = scram
    settings[`${name}.oauthbearer.sasl.jaas.config`] =
      `${bearer} unsecuredLoginStringClaim_sub="broker";`
    settings[`${name}.oauthbearer.sasl.server.callback.handler.class`] =
      'org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler'
    settings[`${name}.oauthbearer.sasl.login.callback.handler.class`] =
      'org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler'
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(HOME, 'server.properties'), lines.join(''))
}

function format(): void {
  const id = kafkaTool('kafka.tools.StorageTool', ['random-uuid']).trim()
  const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${KAFKA_USER},password=${KAFKA_PASSWORD}]`,
  ])
  const config = join(HOME, 'server.properties')
  kafkaTool('kafka.tools.StorageTool', ['format', '-t', id, '-c', config, ...users])
}

function makeCertificates(): void {
  if (existsSync(join(KAFKA_CERTIFICATES, 'client.pem'))) return
  mkdirSync(KAFKA_CERTIFICATES, { recursive: true })
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: KAFKA_CERTIFICATES, stdio: 'ignore' })
  const days = ['-days', '3650']
  openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...[...days, '-subj', '/CN=millrace-test-ca'],
  )
  for (const name of ['broker', 'client']) {
    const subject = ['-subj', `/CN=${name}`]
    openssl(
      ...['req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`],
      ...subject,
    )
    writeFileSync(
      join(KAFKA_CERTIFICATES, `${name}.ext`),
      'subjectAltName=DNS:localhost,IP:127.0.0.1\n',
    )
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-out', `${name}.pem`, '-extfile', `${name}.ext`, ...days],
    )
  }
  const pem = (name: string) => readFileSync(join(KAFKA_CERTIFICATES, name), 'utf8')
  writeFileSync(join(KAFKA_CERTIFICATES, 'broker.pem'), pem('broker.key') + pem('broker.pem'))
}

if (import.meta.main) {
  if (process.argv[2] === 'stop') await stopKafka()
  else if (process.argv[2] === 'kill') await stopKafka('SIGKILL')
  else await startKafka()
}
