import assert from 'node:assert/strict'
import test from 'node:test'
import { simulatedPorts } from '../testing/ports.ts'
import { endedWell } from './ended-well.ts'
import { openLog } from './log.ts'

const DIRECTORY = '/data/log/t-0'
const FIRST = `${DIRECTORY}/00000000000000000000`

async function closedLog() {
  const ports = simulatedPorts(1)
  const log = openLog({ ports, dataDirectory: '/data' })
  await log.createTopic('t')
  for (let at = 0; at < 20; at++) await log.append('t', 0, [{ value: Buffer.alloc(1000, at) }])
  await log.close()
  return ports
}

test('a partition that was closed ended well', async () => {
  const { files } = await closedLog()
  assert.equal(endedWell(files, DIRECTORY), true)
})

test('a torn end, records that are not shown, a missing index and a damaged last batch are not a good end', async () => {
  const tears: readonly ((files: Awaited<ReturnType<typeof closedLog>>['files']) => void)[] = [
    (files) => {
      const file = files.open(`${FIRST}.log`, 'write')
      file.write(new Uint8Array(10), file.bytes())
    },
    (files) => {
      const file = files.open(`${FIRST}.log`, 'write')
      file.truncate(file.bytes() - 1)
    },
    (files) => {
      const file = files.open(`${FIRST}.log`, 'write')
      file.write(new Uint8Array([99]), file.bytes() - 20)
    },
    (files) => files.remove(`${FIRST}.timeindex`),
    (files) => files.remove(`${DIRECTORY}/high-watermark`),
  ]
  for (const tear of tears) {
    const { files } = await closedLog()
    tear(files)
    assert.equal(endedWell(files, DIRECTORY), false, tear.toString())
  }
})
