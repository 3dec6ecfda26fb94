/** The connectors that come with Millrace, by the name in WITH ('connector' = '...'). */
import { blackhole } from '../connectors/blackhole/blackhole.ts'
import type { Connector } from '../connectors/contract/connector.ts'
import { datagen } from '../connectors/datagen/datagen.ts'
import { delta } from '../connectors/delta/connector.ts'
import { filesystem } from '../connectors/filesystem/filesystem.ts'
import { http } from '../connectors/http/connector.ts'
import { jdbc } from '../connectors/jdbc/connector.ts'
import { kafka, upsertKafka } from '../connectors/kafka/connector.ts'
import { log, upsertLog } from '../connectors/log/connector.ts'
import { print } from '../connectors/print/print.ts'
import { values } from '../connectors/values/values.ts'

export const CONNECTORS: readonly Connector[] = [
  blackhole,
  datagen,
  delta,
  filesystem,
  http,
  jdbc,
  kafka,
  log,
  print,
  upsertKafka,
  upsertLog,
  values,
]
