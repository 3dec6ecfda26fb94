/** `millrace audit --kafka BROKERS [topics...]`: what will go wrong with a running Kafka, read and never written. */
import {
  type ClusterAudit,
  clusterAudit,
  clusterMarkdown,
  clusterSarif,
} from '../../advise/audit/cluster-report.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { usageError } from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { surveyKafka } from '../kafka-survey.ts'
import { clusterLines } from '../render/cluster-audit.ts'
import { VERSION } from '../version.ts'

export interface AuditKafkaOptions {
  readonly kafka: string
  readonly registry?: string
  readonly property?: readonly string[]
  readonly sample: string
  readonly strict?: boolean
}

export async function auditKafka(
  io: Io,
  format: string,
  topics: readonly string[],
  options: AuditKafkaOptions,
): Promise<void> {
  const { kafka: servers, registry, property = [], sample, strict } = options
  if (!/^\d+$/.test(sample))
    throw usageError(`--sample can't be '${sample}'`, 'it is a number of records; 0 reads none')
  const facts = await surveyKafka({
    ports: nodePorts(),
    servers,
    properties: propertiesOf(property),
    ...(registry !== undefined && { registry }),
    ...(topics.length > 0 && { topics }),
    sampleRecords: Number(sample),
    directory: io.directory,
    environment: io.environment,
  })
  const audit = clusterAudit(facts)
  for (const line of written(io, format, audit)) io.out(line)
  const isGrave = audit.findings.some(({ severity }) => severity !== 'note')
  if (strict && isGrave) io.exitCode = EXIT.no
}

function written(io: Io, format: string, audit: ClusterAudit): string[] {
  switch (format) {
    case 'json':
      return [JSON.stringify(audit)]
    case 'sarif':
      return [JSON.stringify(clusterSarif(audit, VERSION), undefined, 2)]
    case 'md':
      return [clusterMarkdown(audit).trimEnd()]
    default:
      return clusterLines(audit, io.style, io.columns())
  }
}

/** 'security.protocol=SASL_SSL', as in a client's properties file. */
function propertiesOf(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((each) => {
      const at = each.indexOf('=')
      if (at > 0) return [`properties.${each.slice(0, at)}`, each.slice(at + 1)]
      throw usageError(
        `--property can't be '${each}'`,
        "write it as in a client's properties file: security.protocol=SASL_SSL",
      )
    }),
  )
}
