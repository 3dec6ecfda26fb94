/**
 * `millrace advise watermark` as a process, over a folder of JSON lines in four splits, two thirds of the events out of order:
 * `node bench/lateness-command.ts [events, 10000000 unless told]`. Needs 20 bytes of disk an event, which it gives back. Linux.
 *
 *   told: events/s of CPU time, start and end of the process left out (they are those of the same command over 1,000 events);
 *   the most that the process had resident, above the most of the same command over 1,000 events and above a bare `millrace --version`
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { seededRandom } from './nexmark/random.ts'

const MAIN = resolve('src/cli/main.ts')
const SPLITS = 4
const LINES = 65_536
const START_MS = 1_780_000_000_000
const DELAY_MS = 20_000
const FEW = 1000
const LOOK_MS = 5
/** Of `/proc/PID/stat`: a hundredth of a second. */
const TICKS = 100

interface Cost {
  readonly cpuSeconds: number
  readonly peakMB: number
  readonly out: string
}

/** An event of each split a millisecond, each late by its own delay. */
function write(directory: string, events: number): void {
  mkdirSync(directory)
  const random = seededRandom(42)
  for (let split = 0; split < SPLITS; split++) {
    const file = openSync(join(directory, `${split}.jsonl`), 'w')
    const count = events / SPLITS
    for (let done = 0; done < count; done += LINES) {
      const lines = Array.from({ length: Math.min(LINES, count - done) }, (_, at) => {
        const lateMs = random.unit() < 1 / 3 ? 0 : -Math.log(1 - random.unit()) * DELAY_MS
        return `{"t":${START_MS + done + at - Math.round(lateMs)}}\n`
      })
      writeSync(file, lines.join(''))
    }
    closeSync(file)
  }
}

/** Runs the command; what it cost is read from the kernel while it lives. */
async function cost(directory: string, args: readonly string[]): Promise<Cost> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: directory })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.pipe(process.stderr)
  const seen = { cpuSeconds: 0, peakMB: 0 }
  const timer = setInterval(() => look(child.pid!, seen), LOOK_MS)
  const code = await new Promise((done) => child.on('close', done))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}`)
  return { ...seen, out }
}

function look(pid: number, seen: { cpuSeconds: number; peakMB: number }): void {
  try {
    const [, peakKb] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    // Behind the command's name, which may hold blanks, utime and stime are the 12th and 13th.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    seen.cpuSeconds = (Number(stat[11]) + Number(stat[12])) / TICKS
    if (peakKb !== undefined) seen.peakMB = Number(peakKb) / 1024
  } catch {
    // It ended between two looks.
  }
}

const events = Number(process.argv[2] ?? 10_000_000)
const directory = mkdtempSync(join(tmpdir(), 'millrace-lateness-'))
try {
  write(join(directory, 'few'), FEW)
  write(join(directory, 'many'), events)
  const measure = (of: string) => ['advise', 'watermark', of, '--time', 't', '--json']
  const idle = await cost(directory, ['--version'])
  const few = await cost(directory, measure('few'))
  const many = await cost(directory, measure('many'))
  const { events: counted, outOfOrder, line } = JSON.parse(many.out)
  const figures = {
    events: counted,
    outOfOrder,
    line,
    cpuSeconds: many.cpuSeconds,
    eventsPerCpuSecond: Math.round(counted / (many.cpuSeconds - few.cpuSeconds)),
    peakMB: Math.round(many.peakMB),
    aboveFewMB: Math.round(many.peakMB - few.peakMB),
    aboveIdleMB: Math.round(many.peakMB - idle.peakMB),
  }
  console.log(JSON.stringify(figures))
} finally {
  rmSync(directory, { recursive: true })
}
