/** Appends to a real log until it is killed: each acknowledged sequence is a line on standard output. */
import { openLog } from '../../src/log/log.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'

const [dataDirectory, settings] = process.argv.slice(2)
const log = openLog({ ports: nodePorts(), dataDirectory: dataDirectory! })
if (log.topic('t') === undefined) {
  await log.createTopic('t', { settings: JSON.parse(settings!) })
}
const known = await log.producer('t', 0, 1)
for (let sequence = (known?.lastSequence ?? -1) + 1; ; sequence++) {
  const value = new TextEncoder().encode(`${sequence} ${'x'.repeat((sequence * 37) % 300)}`)
  const appending = log.append('t', 0, [{ value }], { producerId: 1, epoch: 0, sequence })
  // Some share a sync, as those of many clients do.
  if (sequence % 3 !== 0) await appending
  appending.then(() => process.stdout.write(`${sequence}\n`))
}
