/** One process of the clicks' pipeline on so many worker threads, to the end: it is killed on its way, or ends. */
import { join } from 'node:path'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { clickSql } from './clicks.ts'

const [directory, workers] = process.argv.slice(2)
const killAt = process.env.MILLRACE_KILL_AT
const sql = clickSql({ path: join(directory!, 'sums'), checkpoint: '20 ms' })
const run = await startPipeline({
  pipeline: bindText(sql, 'p', CONNECTORS).pipeline!,
  connectors: CONNECTORS,
  ports: nodePorts(killAt === undefined ? {} : { killAt }),
  dataDirectory: join(directory!, 'data'),
  baseDirectory: directory!,
  workers: Number(workers),
  threads: true,
  until: 'end',
})
await run.finished
