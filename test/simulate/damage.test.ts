/** A byte that changed on the disk while a pipeline stood still: it is told with its file, or it changes nothing; never what comes out. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { clickSql, clickText, holdAllOnce } from './clicks.ts'
import { deltaRows } from './lake.ts'
import { live, produceRows, topicTexts } from './lives.ts'
import { eachSeed } from './seeds.ts'

const EVENTS = 120
const SQL = clickSql({ path: '/lake/sums' })
/** What says that a file is not what was written; of a topic's own id, that it is another topic. */
const CORRUPT = /_CORRUPT$/
const OTHER = 'SOURCE_REPLACED'

test('a damaged byte in any file of a pipeline is named, or changes nothing that comes out', async () => {
  const told = new Map<string, number>()
  await eachSeed(1, async (seed) => {
    for (const path of filesBelow(await halfDone(seed), '/')) {
      for (const share of [0, 0.45, 0.999]) {
        const code = await damaged(seed, path, share)
        told.set(code, (told.get(code) ?? 0) + 1)
      }
    }
  })
  for (const code of ['LOG_CORRUPT', 'CHECKPOINT_CORRUPT', 'DELTA_LOG_CORRUPT'])
    assert.ok(told.has(code), JSON.stringify([...told]))
})

/** All is written and half of it read; some windows are open. */
async function halfDone(seed: number): Promise<SimulatedPorts> {
  const ports = simulatedPorts(seed)
  await produce(ports, 0, EVENTS / 2)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), {
    kind: 'finished',
    because: 'now',
  })
  await produce(ports, EVENTS / 2, EVENTS)
  return ports
}

/** How it ended: a code, or what it finished with. */
async function damaged(seed: number, path: string, share: number): Promise<string> {
  const ports = await halfDone(seed)
  const at = Math.floor(ports.files.contents(path).length * share)
  ports.files.flip(path, at)
  const where = `byte ${at} of ${path}`
  const outcome = await live(ports, { sql: SQL, until: 'end' })
  assert.ok(outcome !== 'crashed', where)
  if (outcome.kind === 'failed') {
    const { code, message } = outcome.error
    if (code === OTHER && path.includes('/topics/')) return code
    assert.match(code, CORRUPT, `${where}: ${message}`)
    assert.ok(message.includes(nameIn(path)), `${where}: ${message}`)
    return code
  }
  assert.equal(outcome.kind, 'finished', `${where}: ${JSON.stringify(outcome)}`)
  const [late, dead] = [topicTexts(ports, 'sums.late'), topicTexts(ports, 'sums.dead')]
  holdAllOnce(EVENTS, { rows: await deltaRows(ports, '/lake/sums'), late, dead }, where)
  return 'finished'
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Data files of the table are not among them: who appends does not read them. */
function filesBelow(
  { files }: Pick<SimulatedPorts, 'files'>,
  directory: string,
): readonly string[] {
  return files.list(directory).flatMap((name) => {
    const path = `${directory === '/' ? '' : directory}/${name}`
    const { isDirectory, bytes } = files.stat(path)!
    if (isDirectory) return filesBelow({ files }, path)
    return bytes === 0 || name.endsWith('.parquet') ? [] : [path]
  })
}

async function produce(ports: SimulatedPorts, from: number, to: number): Promise<void> {
  const texts = Array.from({ length: to - from }, (_, at) => clickText(from + at))
  await produceRows(ports, 'clicks', texts, { partitions: 2 })
}
