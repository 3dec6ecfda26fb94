/**
 * The meter of `millrace advise watermark`, one thread, batches of 8,192 events, half of them out of order by a minute in the middle,
 * with append times and a value: `node bench/lateness.ts [events, 20000000 unless told]`.
 *
 *   told: events/s of CPU time, memory of the process above where it stood before the first event, bytes of sketches
 */
import { meterArrivals } from '../src/advise/watermark/arrivals.ts'
import { seededRandom } from './nexmark/random.ts'

const ROWS = 8192
const STEP_US = 1000
const DELAY_US = 60_000_000
const START_US = 1_780_000_000_000_000
const PATTERNS = 16

const events = Number(process.argv[2] ?? 20_000_000)
const random = seededRandom(42)
const patterns = Array.from({ length: PATTERNS }, () =>
  Float64Array.from({ length: ROWS }, (_, row) => {
    const late = random.unit() < 0.5 ? 0 : -Math.log(1 - random.unit()) * DELAY_US
    return row * STEP_US - Math.round(late)
  }),
)
const rows = {
  count: ROWS,
  timeUs: new Float64Array(ROWS),
  appendUs: new Float64Array(ROWS),
  value: new Float64Array(ROWS).fill(1),
}
const meter = meterArrivals(60_000_000)
const split = meter.split('0')
const memoryBefore = process.memoryUsage().rss
const cpuBefore = process.cpuUsage()
for (let done = 0; done < events; done += ROWS) {
  const base = START_US + done * STEP_US
  const pattern = patterns[(done / ROWS) % PATTERNS]!
  for (let row = 0; row < ROWS; row++) {
    rows.timeUs[row] = base + pattern[row]!
    rows.appendUs[row] = base + row * STEP_US + 5000
  }
  meter.add(split, rows, Number.POSITIVE_INFINITY)
}
const { user, system } = process.cpuUsage(cpuBefore)
const { events: counted, outOfOrder, parts, hours, splits } = meter.read()
const sketches = [
  ...parts.flatMap(({ needs, values }) => [needs, values]),
  ...hours,
  ...splits.flatMap(({ behind, transit }) => [behind, transit]),
]
const figures = {
  events: counted,
  outOfOrder,
  eventsPerCpuSecond: Math.round((counted / (user + system)) * 1e6),
  memoryMB: Math.round((process.memoryUsage().rss - memoryBefore) / 1e6),
  sketchBytes: sketches.reduce((sum, { bytes }) => sum + bytes, 0),
}
console.log(JSON.stringify(figures))
