/** What a Delta table says of its sources: how far they were read, and from where on rows are in no window that has come out. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { SplitPosition } from '../../src/connectors/contract/sink.ts'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { clickSql, clickText } from '../simulate/clicks.ts'
import { deltaRows } from '../simulate/lake.ts'
import { type Life, live, produceRows, topicTexts } from '../simulate/lives.ts'

const EVENTS = 90
const SQL = clickSql({ path: '/lake/sums' })
const ONE_AT_A_TIME = { interleaving: { rowsMax: 1 } }

for (const [name, life] of Object.entries<Partial<Life>>({
  'one worker': ONE_AT_A_TIME,
  'two workers': { workers: 2, interleaving: { rowsMax: 1, ringBytes: 256 } },
})) {
  test(`rows before reflectedTo are in the table and those from it on are not all, by ${name}, over restarts`, async () => {
    const ports = simulatedPorts(1)
    for (let produced = 0; produced < EVENTS; produced += 30) {
      const texts = Array.from({ length: 30 }, (_, at) => clickText(produced + at))
      await produceRows(ports, 'clicks', texts)
      await live(ports, { sql: SQL, until: 'now', ...life })
      const { readTo, reflectedTo } = positionIn(ports)
      assert.equal(Number(readTo), produced + 30)
      assert.ok(reflectedTo !== undefined, 'a window is open')
      const inTable = await rowsInTable(ports)
      // One split in the order of n: the first that is missing is the first that is open, but for batches' grain and dead rows.
      const first = firstMissing(produced + 30, inTable, ports)
      assert.ok(Number(reflectedTo) <= first, `${reflectedTo} is not behind ${first}`)
      assert.ok(Number(reflectedTo) >= first - 4, `${reflectedTo} is near ${first}`)
    }
    await live(ports, { sql: SQL, until: 'end', ...life })
    const { readTo, reflectedTo } = positionIn(ports)
    assert.deepEqual([readTo, reflectedTo], [`${EVENTS}`, undefined])
  })
}

/** Windows are whole: the clicks of those that are in the table. */
async function rowsInTable(ports: SimulatedPorts): Promise<ReadonlySet<number>> {
  const starts = new Set<number>()
  for (const { window_start: start } of await deltaRows(ports, '/lake/sums')) {
    starts.add(start instanceof Date ? start.getTime() : Date.parse(`${start}`))
  }
  const found = new Set<number>()
  topicTexts(ports, 'clicks').forEach((text, n) => {
    const time = /"at_time":"([^"]*)"/.exec(text)?.[1]
    if (time === undefined) return
    const ms = Date.parse(time)
    if (starts.has(ms - (ms % 10_000))) found.add(n)
  })
  return found
}

function firstMissing(end: number, inTable: ReadonlySet<number>, ports: SimulatedPorts): number {
  const texts = topicTexts(ports, 'clicks')
  for (let n = 0; n < end; n++) {
    if (!inTable.has(n) && texts[n]!.startsWith('{"')) return n
  }
  return end
}

/** Of the only split, as the newest commit's domain says. */
function positionIn(ports: SimulatedPorts): SplitPosition {
  const log = '/lake/sums/_delta_log'
  const commits = ports.files.list(log).filter((name) => /^\d{20}\.json$/.test(name))
  for (const name of commits.toReversed()) {
    const text = new TextDecoder().decode(ports.files.contents(`${log}/${name}`))
    for (const line of text.trim().split('\n')) {
      const { domainMetadata } = JSON.parse(line)
      if (domainMetadata === undefined) continue
      return JSON.parse(domainMetadata.configuration).positions.clicks['0']
    }
  }
  return assert.fail('no commit tells positions')
}
