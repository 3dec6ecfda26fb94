/** Kafka's own tools, fetched into `.cache/` with Maven at first use: they need Java 17. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const CACHE = resolve('.cache/interop/kafka')
const VERSION = '4.3.1'
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>millrace.interop</groupId><artifactId>kafka-tools</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${VERSION}</version></dependency>
</dependencies></project>
`

export function fetchKafkaTools(): void {
  if (existsSync(resolve(CACHE, '.done'))) return
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(resolve(CACHE, 'pom.xml'), POM)
  const output = `-DoutputDirectory=${resolve(CACHE, 'libs')}`
  execFileSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', output], {
    cwd: CACHE,
    stdio: 'inherit',
  })
  writeFileSync(resolve(CACHE, '.done'), '')
}

/** The lines that `DumpLogSegments` prints. */
export function dumpLogSegments(files: readonly string[], ...flags: readonly string[]): string[] {
  const tool = 'org.apache.kafka.tools.DumpLogSegments'
  const args = ['-cp', `${resolve(CACHE, 'libs')}/*`, tool, ...flags, '--files', files.join(',')]
  const output = execFileSync('java', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  })
  return output.split('\n').filter((line) => line !== '')
}
