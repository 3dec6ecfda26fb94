/** The delay that is advised, held against what pipelines with that delay do lose. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { WatermarkAdvice } from '../../src/advise/watermark/shape.ts'
import { PLAIN } from '../../src/cli/render/style.ts'
import { watermarkLines } from '../../src/cli/render/watermark.ts'
import { intervalSql } from '../../src/time/delay.ts'
import { inDirectory, millrace } from '../cli/process.ts'
import { advised, kept, TOLERANCE, tablesOver, within } from './achieved.ts'
import { randomOf, STREAMS, writeStream } from './lateness.ts'

for (const [number, { name, splits }] of STREAMS.entries()) {
  test(`${name}: a pipeline with the advised delay keeps what was promised, of these events and of others like them`, async () => {
    await inDirectory(async (directory) => {
      writeStream(join(directory, 'seen'), splits(randomOf(number + 1)))
      writeStream(join(directory, 'unseen'), splits(randomOf(number + 101)))
      for (const completeness of [0.9, 0.99, 0.999]) {
        const table = tablesOver('seen', "INTERVAL '0' SECOND")
        const advice = await advised(directory, table, 'happened_at', completeness)
        const delay = intervalSql(advice.chosen.delayUs)
        assert.ok(advice.isFounded)
        assert.ok(advice.chosen.completeness >= completeness)
        const seen = await kept(directory, tablesOver('seen', delay), "'1' MINUTE", 'happened_at')
        within(seen.events, advice, `${name}, seen, ${completeness}`)
        assert.ok(Math.abs(seen.value - advice.chosen.valueCompleteness!) <= 2 * TOLERANCE)
        if (completeness !== 0.99) continue
        const unseen = await kept(
          directory,
          tablesOver('unseen', delay),
          "'1' MINUTE",
          'happened_at',
        )
        within(unseen.events, advice, `${name}, unseen, ${completeness}`)
      }
    })
  })
}

for (const [number, { name, splits }] of STREAMS.entries()) {
  const what = name === 'drifting' ? 'is said to differ from' : 'is kept on'
  test(`${name}: what is fitted on the first half ${what} the rest`, async () => {
    await inDirectory(async (directory) => {
      const whole = splits(randomOf(number + 51))
      const first = whole.map((events) => events.slice(0, events.length / 2))
      const rest = whole.map((events) => events.slice(events.length / 2))
      for (const [part, events] of Object.entries({ whole, first, rest }))
        writeStream(join(directory, part), events)
      const none = "INTERVAL '0' SECOND"
      for (const share of [0.9, 0.99, 0.999]) {
        const advice = await advised(directory, tablesOver('first', none), 'happened_at', share)
        const delay = intervalSql(advice.chosen.delayUs)
        const { events } = await kept(
          directory,
          tablesOver('rest', delay),
          "'1' MINUTE",
          'happened_at',
        )
        const all = await advised(directory, tablesOver('whole', none), 'happened_at', share)
        assert.equal(all.holdout!.differs, name === 'drifting')
        if (name !== 'drifting') within(events, advice, `${name}, the rest, ${share}`)
        else assert.ok(events < advice.chosen.interval.low)
      }
    })
  })
}

test('what is fitted on a drifting stream is said to differ on the rest, and a steady one is not', async () => {
  await inDirectory(async (directory) => {
    for (const { name, splits } of STREAMS) {
      if (name !== 'drifting' && name !== 'exponential') continue
      writeStream(join(directory, name), splits(randomOf(7)))
      const table = tablesOver(name, "INTERVAL '0' SECOND")
      const advice = await advised(directory, table, 'happened_at', 0.99)
      assert.equal(advice.holdout!.differs, name === 'drifting', name)
      assert.equal(
        advice.guards.some(({ code }) => code === 'drift'),
        name === 'drifting',
      )
    }
  })
})

test('the slow split is named', async () => {
  await inDirectory(async (directory) => {
    const { splits } = STREAMS.find(({ name }) => name === 'one slow partition')!
    writeStream(join(directory, 'seen'), splits(randomOf(3)))
    const table = tablesOver('seen', "INTERVAL '0' SECOND")
    const { guards } = await advised(directory, table, 'happened_at', 0.99)
    assert.match(guards.find(({ code }) => code === 'slow-split')?.says ?? '', /'2\.jsonl' is slow/)
  })
})

test('earthquakes: pipelines keep what was promised for windows of an hour', async () => {
  await inDirectory(async (directory) => {
    cpSync('examples/earthquakes', directory, { recursive: true })
    const events = readFileSync(join(directory, 'events.jsonl'), 'utf8')
    assert.equal(events.trim().split('\n').length, 1707)
    const table = (delay: string): string => `CREATE TABLE measured (
      \`time\` TIMESTAMP_LTZ(3), magnitude DOUBLE, v AS magnitude,
      WATERMARK FOR \`time\` AS \`time\` - ${delay})
      WITH ('connector' = 'filesystem', 'path' = 'events.jsonl', 'format' = 'json',
        'json.timestamp-format.standard' = 'ISO-8601');`
    for (const completeness of [0.5, 0.9, 0.99]) {
      const none = table("INTERVAL '0' SECOND")
      const advice = await advised(directory, none, 'time', completeness, 3_600_000_000)
      const delay = intervalSql(advice.chosen.delayUs)
      const { events: share } = await kept(directory, table(delay), "'1' HOUR", 'time')
      within(share, advice, `earthquakes, ${completeness}`)
      assert.ok(share >= advice.chosen.interval.low && share <= advice.chosen.interval.high)
    }
  })
})

test('the command measures a file, writes the watermark into the table, and the table is valid', async () => {
  await inDirectory(async (directory) => {
    cpSync('examples/earthquakes', directory, { recursive: true })
    const file = await millrace(directory, [
      ...['advise', 'watermark', 'events.jsonl', '--time', 'time', '--window', '1h'],
      ...['--complete', '90%', '--json'],
    ])
    assert.equal(file.code, 0, file.err)
    const advice: WatermarkAdvice = JSON.parse(file.out)
    const written = await millrace(directory, [
      ...['advise', 'watermark', 'quakes', '--window', '1h', '--complete', '90%'],
      ...['--write', 'tables/quakes.sql'],
    ])
    assert.equal(written.code, 0, written.err)
    assert.ok(readFileSync(join(directory, 'tables/quakes.sql'), 'utf8').includes(advice.line))
    assert.ok(written.out.startsWith(advice.line))
    assert.equal((await millrace(directory, ['check'])).code, 0)
  })
})

test('events that were sorted are no ground for a delay, and no file is touched', async () => {
  await inDirectory(async (directory) => {
    const lines = Array.from({ length: 2000 }, (_, at) => `{"t":${1_760_000_000_000 + at}}\n`)
    writeFileSync(join(directory, 'sorted.jsonl'), lines.join(''))
    const asked = ['advise', 'watermark', 'sorted.jsonl', '--write', 'x.sql', '--json']
    const { code, out, err } = await millrace(directory, asked)
    assert.equal(code, 1)
    const [advice, refusal] = out.trim().split('\n')
    assert.equal(JSON.parse(advice!).isFounded, false)
    assert.match(`${refusal}${err}`, /WATERMARK_UNFOUNDED/)
  })
})

test('a folder is a split each file, and ten events are too few for 99.9 %, which takes 10,000', async () => {
  await inDirectory(async (directory) => {
    const events = [1, 3, 2, 5, 4].map((at) => ({ t: 1_780_000_000_000 + 1000 * at, v: 1 }))
    writeStream(join(directory, 'events'), [events, events])
    const { code, out } = await millrace(directory, ['advise', 'watermark', 'events', '--json'])
    assert.equal(code, 0)
    const { events: read, splits, chosen, guards }: WatermarkAdvice = JSON.parse(out)
    assert.deepEqual([read, splits.length], [10, 2])
    assert.deepEqual([chosen.isEnough, chosen.eventsNeeded], [false, 10_000])
    assert.ok(guards.some(({ code }) => code === 'few-events'))
  })
})

test('history that was appended at once says so', async () => {
  await inDirectory(async (directory) => {
    const random = randomOf(5)
    const lines = Array.from({ length: 3000 }, (_, at) => {
      const t = new Date(1_760_000_000_000 + at * 60_000 - random() * 600_000).toISOString()
      return `{"t":"${t}"}\n`
    })
    const produced = await millrace(
      directory,
      ['produce', 'history', '--partitions', '1'],
      lines.join(''),
    )
    assert.equal(produced.code, 0, produced.err)
    const { code, out } = await millrace(directory, ['advise', 'watermark', 'history', '--json'])
    assert.equal(code, 1)
    const advice: WatermarkAdvice = JSON.parse(out)
    assert.ok(advice.guards.some(({ code }) => code === 'replayed'))
  })
})

test('docs/watermarks.md shows what its command says', async () => {
  await inDirectory(async (directory) => {
    cpSync('examples/earthquakes', directory, { recursive: true })
    const page = readFileSync('docs/watermarks.md', 'utf8')
    const [, command] = /^millrace (advise watermark .*)$/m.exec(page)!
    const [, shown] = /<!-- output -->\n```text\n([\s\S]*?)```/.exec(page)!
    const { code, out, err } = await millrace(directory, command!.split(' '))
    assert.equal(code, 0, err)
    assert.equal(out, shown)
  })
})

test('on 80 columns no line of the answer is longer', async () => {
  await inDirectory(async (directory) => {
    const { splits } = STREAMS.find(({ name }) => name === 'one slow partition')!
    writeStream(join(directory, 'seen'), splits(randomOf(3)))
    const advice = await advised(
      directory,
      tablesOver('seen', "INTERVAL '0' SECOND"),
      'happened_at',
      0.99,
    )
    for (const line of watermarkLines({ ...advice, valueColumn: 'v' }, PLAIN, 80))
      assert.ok(line.length <= 80, line)
  })
})
