/** The command as people use it: its files check and run, its next steps can be taken, what is wrong is refused, and a terminal is asked. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import test from 'node:test'
import { parse } from 'yaml'
import { adviceOn } from '../../scripts/advise-docs.ts'
import { advise } from '../../src/advise/report/advice.ts'
import { type Io, processIo } from '../../src/cli/io.ts'
import { runCommandLine } from '../../src/cli/program.ts'
import { loadProject } from '../../src/cli/project.ts'
import { PLAIN } from '../../src/cli/render/style.ts'
import { checkProject } from '../../src/cli/scripts.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { inDirectory, millrace } from '../cli/process.ts'
import { BOOK, needsOf } from './asked.ts'

const EXAMPLES = globSync('examples/needs/*.yaml').sort()
const connectors = CONNECTORS.map(({ name }) => name)

for (const file of EXAMPLES) {
  test(`the files that come with ${file} are valid`, async () => {
    await inDirectory(async (directory) => {
      const { findings, pipelines } = await checkFiles(directory, adviceOn(file).nextSteps.files)
      assert.deepEqual(findings, [])
      assert.ok(pipelines > 0)
    })
  })
}

for (const file of EXAMPLES) {
  test(`the next steps of ${file} can be taken, one after another, by who has nothing yet`, async () => {
    await inDirectory(async (directory) => {
      const { nextSteps, plan } = adviceOn(file)
      assert.ok(plan.design)
      const isElsewhere = nextSteps.files.some(({ text }) => text.includes('env:KAFKA'))
      for (const { run } of nextSteps.commands) {
        const [program, ...args] = run.replace('NEEDS', resolve(file)).split(' ')
        assert.equal(program, 'millrace')
        if (args[0] === 'run' && isElsewhere) continue
        const ends = args[0] === 'run' && !args.includes('--until') ? ['--until', 'now'] : []
        const { code, err } =
          args[0] === 'run'
            ? await millrace(directory, [...args, ...ends])
            : await command(directory, args)
        assert.equal(code, 0, `${run}: ${err}`)
      }
    })
  })
}

test('names that are words of SQL do not break the files', async () => {
  await inDirectory(async (directory) => {
    const outputs = ['order', 'table', 'select', 'user-values'].map((name) => ({
      name,
      what: 'alert',
      actor: 'a\n`; DROP',
      ifOneHourOld: 'all',
      consequence: 'late-alert',
      freshness: '10 s',
      rate: '5/s',
      bytes: '100 B',
    }))
    const needs = needsOf({ context: { clouds: ['own'] }, outputs })
    const { nextSteps } = advise({ needs, book: BOOK, doubts: [], connectors })
    const checked = await checkFiles(directory, nextSteps.files)
    assert.deepEqual(checked, { findings: [], pipelines: 4 })
  })
})

const EVENTS = ['00:00:10', '00:20:00', '01:10:00', '02:30:00'].map(
  (time, index) =>
    `{"id":"${index}","subject":"oslo","amount":2.5,"happened_at":"2026-01-31T${time}.000Z"}\n`,
)

test('the batch verdict runs: each run of the timer goes on where the last one ended', async () => {
  await inDirectory(async (directory) => {
    const needs = resolve('examples/needs/hourly-dashboard.yaml')
    const wrote = await millrace(directory, ['advise', needs, '--write', '.'])
    assert.equal(wrote.code, 0, wrote.err)
    const again = await millrace(directory, ['advise', needs, '--write', '.'])
    assert.match(again.err, /^PROJECT_EXISTS/m)
    writeFileSync(join(directory, 'data/revenue/first.jsonl'), EVENTS.slice(0, 3).join(''))
    const run = ['run', 'pipelines/revenue.sql', '--until', 'now']
    const first = await millrace(directory, run)
    assert.equal(first.code, 0, first.err)
    writeFileSync(join(directory, 'data/revenue/second.jsonl'), EVENTS.slice(3).join(''))
    const second = await millrace(directory, run)
    assert.equal(second.code, 0, second.err)
    const query = 'SELECT window_start, events, amount FROM revenue_result ORDER BY window_start'
    const { out, err } = await millrace(directory, ['query', query, '--json'])
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(rows.map(({ events }) => events).slice(0, 2), [2, 1], err)
    const timer = readFileSync(join(directory, 'timers/millrace-revenue.timer'), 'utf8')
    assert.match(timer, /OnCalendar=hourly/)
  })
})

test('the streaming verdict runs on the embedded log', async () => {
  await inDirectory(async (directory) => {
    await millrace(directory, ['advise', resolve('examples/needs/inventory.yaml'), '--write', '.'])
    const produce = [
      'produce',
      'orders',
      '-',
      '--key',
      'subject',
      '--event-id',
      'id',
      '--partitions',
      '1',
    ]
    const produced = await millrace(directory, produce, EVENTS.join(''))
    assert.equal(produced.code, 0, produced.err)
    const ran = await millrace(directory, ['run', 'pipelines/stock.sql', '--until', 'end'])
    assert.equal(ran.code, 0, ran.err)
    const shown = await millrace(directory, ['log', 'inspect', 'stock', '--json'])
    assert.equal(shown.out.trim().split('\n').length, EVENTS.length, shown.err)
  })
})

test('rate, bytes and lateness are measured from a topic of the log', async () => {
  await inDirectory(async (directory) => {
    const times = [0, 5, 2, 9, 9]
    const lines = times.map(
      (second, id) =>
        `{"id":"${id}","placed_at":"2026-01-31T12:00:0${second}.000Z","pad":"${'x'.repeat(100)}"}\n`,
    )
    for (const line of [lines.slice(0, 2).join(''), lines.slice(2).join('')]) {
      const produced = await millrace(
        directory,
        ['produce', 'orders', '-', '--partitions', '1'],
        line,
      )
      assert.equal(produced.code, 0, produced.err)
    }
    const needs = readFileSync('examples/needs/inventory.yaml', 'utf8')
      .replace('rate: 50/s', 'rate: measured from orders')
      .replace('    peak: 200/s\n', '')
      .replace('400 B', 'measured from orders')
      .replace('lateness: 1 s', 'lateness: measured from orders by placed_at')
      .replace('history: 7 d', 'history: measured from orders')
      .replace('state: 100 MB', 'state: measured from orders by id')
    writeFileSync(join(directory, 'needs.yaml'), needs)
    const { code, out, err } = await millrace(directory, ['advise', 'needs.yaml', '--json'])
    assert.equal(code, 0, err)
    const { assumptions } = JSON.parse(out)
    assert.ok(
      assumptions.some((each: string) => /5 events of orders/.test(each)),
      assumptions.join('\n'),
    )
    assert.ok(assumptions.some((each: string) => /placed_at of 5 of them/.test(each)))
    assert.ok(assumptions.some((each: string) => /5 id in 5 of them, an event of/.test(each)))
    assert.ok(assumptions.some((each: string) => /^history of stock is measured/.test(each)))
    writeFileSync(join(directory, 'needs.yaml'), needs.replaceAll('from orders', 'from nothing'))
    const missing = await millrace(directory, ['advise', 'needs.yaml'])
    assert.equal(missing.code, 1)
    assert.match(missing.err, /^LOG_TOPIC_MISSING/)
  })
})

test('the command refuses what is wrong: files, formats, schemas, prices, and a terminal that is none', async () => {
  await inDirectory(async (directory) => {
    const needs = resolve('examples/needs/inventory.yaml')
    const cases: [string[], number, RegExp][] = [
      [['advise'], 2, /^USAGE_INVALID: there is no file of needs/],
      [
        ['advise', 'nothing.yaml'],
        1,
        /^FILE_UNREADABLE: can't read nothing.yaml: there is no such file/,
      ],
      [['advise', needs, '--format', 'pdf'], 2, /--format can't be 'pdf'/],
      [['advise', '--schema', 'x'], 2, /there is no schema 'x'/],
      [['advise', needs, '--prices', 'p.json'], 1, /^PRICES_INVALID: `asOf` is missing/],
      [['advise', 'bad.yaml'], 1, /^NEEDS_INVALID: [\s\S]*--> bad.yaml:1:1/],
    ]
    writeFileSync(
      join(directory, 'p.json'),
      '{"prices":[{"sku":"ebs-gp3","price":1,"source":"us"}]}',
    )
    writeFileSync(join(directory, 'bad.yaml'), 'nothing: here\n')
    for (const [args, code, said] of cases) {
      const ended = await command(directory, args)
      assert.equal(ended.code, code, args.join(' '))
      assert.match(ended.err, said)
    }
    const schema = await command(directory, ['advise', '--schema', 'needs'])
    assert.equal(JSON.parse(schema.out).title, 'Needs, as `millrace advise` reads them')
  })
})

test('the interview asks again until an answer can be meant, and its answers are a file that is kept', async () => {
  await inDirectory(async (directory) => {
    const context = [
      'aws, mars',
      'aws, gcp',
      'eu-west-1',
      'gdpr',
      'kafka',
      ...['', 'athena', 'sql, kafka', '', ''],
      ...['40 h/month', '90 USD/h', 'zone', '10 min', '', '9000 USD/month'],
    ]
    const output = [
      'Fraud!',
      'fraud-check',
      'decision',
      'the "payment": service',
      'a card: charged',
      'wrong-decision',
      '2000 USD/month',
      '1 s',
      'payments',
      '100',
      '100/s',
      ...['300/s', '', '', '5 s', '', ''],
    ]
    const answers = [...context, ...output, 'no']
    const { code, out } = await command(directory, ['advise'], answers)
    assert.equal(code, 0)
    assert.match(out, /write one like: lower case/)
    assert.match(out, /write one like: 50\/s/)
    assert.match(out, /fraud-check {2}STREAMING {2}operational-decision/)
    const { context: kept, outputs } = parse(readFileSync(join(directory, 'needs.yaml'), 'utf8'))
    assert.deepEqual(kept, {
      clouds: ['aws', 'gcp'],
      regions: ['eu-west-1'],
      compliance: ['gdpr'],
      platforms: ['kafka'],
      readers: ['athena'],
      skills: ['sql', 'kafka'],
      batchLayer: 'none',
      newSystems: 'allowed',
      operations: { hours: '40 h/month', price: '90 USD/h' },
      availability: { survives: 'zone', rto: '10 min', rpo: '0 s' },
      budget: '9000 USD/month',
    })
    assert.deepEqual(Object.keys(outputs[0]).length, 15)
    const again = await command(directory, ['advise', 'needs.yaml'])
    assert.match(again.out, /fraud-check {2}STREAMING/)
    const ended = await command(directory, ['advise'], answers.slice(0, 5))
    assert.equal(ended.code, 2)
    assert.match(ended.err, /the answers ended before the questions/)
  })
})

/** The command in this process; `typed` makes it believe in a terminal. */
async function command(directory: string, args: string[], typed?: string[]) {
  const lines: { out: string[]; err: string[] } = { out: [], err: [] }
  const stdin = Object.assign(Readable.from((typed ?? []).map((line) => `${line}\n`)), {
    isTTY: typed !== undefined,
  })
  const io: Io = {
    ...processIo(),
    directory,
    stdin,
    isTerminal: typed !== undefined,
    style: PLAIN,
    errorStyle: PLAIN,
    write: () => {},
    out: (line) => lines.out.push(line),
    err: (line) => lines.err.push(line),
  }
  const code = await runCommandLine(args, io)
  return { code, out: lines.out.join('\n'), err: lines.err.join('\n') }
}

/** What `millrace check` says of a project of these files. */
async function checkFiles(directory: string, files: readonly { path: string; text: string }[]) {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  const project = await loadProject({ ...processIo(), directory }, {})
  const { findings, pipelines } = await checkProject(project)
  return { findings: findings.map(({ text }) => text), pipelines: pipelines.length }
}
