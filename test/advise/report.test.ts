/** The advice in all its forms, and the files that come with it: they check, and they run. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import test from 'node:test'
import { parse } from 'yaml'
import { adviceOn, rulesPage, withExample } from '../../scripts/advise-docs.ts'
import { advise } from '../../src/advise/report/advice.ts'
import { htmlOf } from '../../src/advise/report/html.ts'
import { markdownOf } from '../../src/advise/report/markdown.ts'
import { pricedText } from '../../src/advise/report/priced.ts'
import { SCHEMAS, schemaText } from '../../src/advise/report/schemas.ts'
import { adviceShape } from '../../src/advise/report/shape.ts'
import { intervalSql, timesOf } from '../../src/advise/report/times.ts'
import { judge } from '../../src/advise/rules/verdict.ts'
import { type Io, processIo } from '../../src/cli/io.ts'
import { runCommandLine } from '../../src/cli/program.ts'
import { loadProject } from '../../src/cli/project.ts'
import { adviceLines } from '../../src/cli/render/advice.ts'
import { PLAIN } from '../../src/cli/render/style.ts'
import { checkProject } from '../../src/cli/scripts.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { inDirectory, millrace } from '../cli/process.ts'
import { BOOK, CASES, needsOf } from './asked.ts'

const EXAMPLES = globSync('examples/needs/*.yaml').sort()
const connectors = CONNECTORS.map(({ name }) => name)
const adviceOf = (needs: unknown) =>
  advise({ needs: needsOf(needs), book: BOOK, doubts: [], connectors })
const ADVICE = CASES.map(({ id, needs }) => ({ id, advice: adviceOf(needs) }))

test('the advice on every case has the published shape, and can be written in every form', () => {
  for (const { id, advice } of ADVICE) {
    assert.deepEqual(adviceShape.parse(JSON.parse(JSON.stringify(advice))), advice, id)
    assert.ok(markdownOf(advice).includes('## Top priorities'))
    assert.ok(htmlOf(advice).includes('</html>'))
    assert.ok(adviceLines(advice, PLAIN, 100).length > 10)
  }
})

test('no price stands without its availability: each design has class, RTO and RPO, and one machine is not called available', () => {
  for (const { advice } of ADVICE) {
    const { plan, alternatives, curve, flips, sensitivity } = advice
    const all = [
      plan.design,
      ...plan.nearest,
      ...alternatives,
      ...curve.flatMap(({ best, managed }) => [best, managed]),
      ...flips.map(({ instead }) => instead),
      ...sensitivity.map(({ design }) => design),
    ]
    for (const design of all) {
      if (design === undefined) continue
      assert.ok(design.availability.class.length > 0)
      assert.ok(design.availability.rtoSeconds >= 0)
      assert.equal(
        design.availability.isHighlyAvailable,
        design.availability.survives !== 'process',
      )
    }
  }
})

test('a log on one machine is not called highly available because a job on a timer reads it', () => {
  const priced = ADVICE.flatMap(({ advice }) => [...advice.alternatives, ...advice.plan.nearest])
  const timed = priced.filter(({ names }) => /^Millrace's own log \+ .* by a timer$/.test(names))
  assert.ok(timed.length > 0)
  for (const { availability } of timed) assert.equal(availability.isHighlyAvailable, false)
})

test('in every form availability, RTO and RPO are written beside each design that has a price', () => {
  for (const { advice } of ADVICE) {
    const { plan, alternatives, curve, flips, sensitivity } = advice
    const priced = [
      ...plan.nearest,
      ...alternatives,
      ...flips.map(({ instead }) => instead),
      ...sensitivity.flatMap(({ design }) => design ?? []),
      ...curve.flatMap(({ best, managed }) => [best ?? [], managed ?? []].flat()),
    ]
    const count = (text: string) => text.match(/RTO [\d.]+ \w+, RPO /g)?.length ?? 0
    assert.ok(count(markdownOf(advice)) >= priced.length)
    assert.ok(count(htmlOf(advice)) >= priced.length)
    const lines = adviceLines(advice, PLAIN, 110).join(' ').replace(/\s+/g, ' ')
    for (const each of [...alternatives.slice(0, 3), ...plan.nearest])
      assert.ok(lines.includes(`${each.names}, ${pricedText(each)}`), lines)
  }
})

test('the trail of each plan is complete: the rule, what would flip it, and why every other candidate is out or dearer', () => {
  for (const { id, advice } of ADVICE) {
    for (const output of advice.outputs) assert.ok(output.flips.length > 0 && output.because)
    for (const { candidate, constraints } of advice.eliminated)
      assert.ok(constraints.length > 0, `${id}: ${candidate}`)
    for (const { total, why } of advice.alternatives) {
      assert.ok(total >= advice.plan.design!.total)
      assert.match(why, /a month more/)
    }
    if (advice.plan.design === undefined) assert.ok(advice.plan.nearest.length > 0)
  }
})

test('the HTML is one file that fetches and runs nothing, and what users wrote stays text', () => {
  const hostile = {
    context: { clouds: ['aws'] },
    outputs: [
      {
        name: 'page',
        what: 'dashboard',
        actor: '<script>alert(1)</script>',
        ifOneHourOld: '"><img src=x onerror=alert(1)>',
        consequence: 'stale-report',
        freshness: '1 min',
        rate: '50/s',
        bytes: '500 B',
      },
    ],
  }
  const html = htmlOf(adviceOf(hostile))
  assert.ok(!/<script|<img|<link|<iframe|@import|url\(|src=["']?http/i.test(html))
  assert.ok(
    !html.includes('onerror=alert(1)>'.replace('>', '>"')) && html.includes('&lt;script&gt;'),
  )
  assert.equal(html.match(/<svg /g)?.length, 3)
  assert.match(html, /prefers-color-scheme: dark/)
  assert.match(html, /@media print/)
  const withoutCode = markdownOf(adviceOf(hostile)).replace(/```[\s\S]*?```/g, '')
  assert.ok(!withoutCode.includes('<script>'))
})

test('the pages and schemas that are generated are current (node scripts/advise-docs.ts)', () => {
  assert.equal(readFileSync('docs/advise-rules.md', 'utf8'), rulesPage())
  const page = readFileSync('docs/advise.md', 'utf8')
  assert.equal(page, withExample(page))
  for (const name of Object.keys(SCHEMAS))
    assert.equal(readFileSync(`docs/schemas/${name}.schema.json`, 'utf8'), schemaText(name))
})

test('the hourly dashboard of the examples is told to be batch, with the money it saves', () => {
  const { outputs, saving, plan } = adviceOn('examples/needs/hourly-dashboard.yaml')
  assert.equal(outputs[0]!.verdict, 'batch')
  assert.match(saving.says, /batch saves \$[\d,]+ a month/)
  assert.ok(plan.design!.total < saving.asked! / 5)
})

for (const file of EXAMPLES) {
  test(`the files that come with ${file} are valid`, async () => {
    await inDirectory(async (directory) => {
      const { findings, pipelines } = await checkFiles(directory, adviceOn(file).nextSteps.files)
      assert.deepEqual(findings, [])
      assert.ok(pipelines > 0)
    })
  })
}

test('window, watermark and checkpoint of a ready pipeline are together no longer than its result may be old', () => {
  for (const { needs } of CASES)
    for (const output of needsOf(needs).outputs) {
      const judged = judge(output)
      const { window, delay, checkpoint } = timesOf(judged)
      const isPlanned = judged.verdict !== 'batch' && judged.plannedSeconds >= 0.3
      if (isPlanned) assert.ok(window + delay + checkpoint <= judged.plannedSeconds, output.name)
      for (const seconds of [window, delay, checkpoint]) assert.ok(seconds > 0)
    }
  assert.equal(intervalSql(86_400), "INTERVAL '1' DAY")
  assert.equal(intervalSql(90), "INTERVAL '90' SECOND")
  assert.equal(intervalSql(0.25), "INTERVAL '0.25' SECOND")
})

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
    const { nextSteps } = adviceOf({ context: { clouds: ['own'] }, outputs })
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
    mkdirSync(join(directory, 'data/revenue'), { recursive: true })
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
