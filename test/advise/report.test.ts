/** The advice in all its forms. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { adviceOn, rulesPage, withExample } from '../../scripts/advise-docs.ts'
import { advise } from '../../src/advise/report/advice.ts'
import { htmlOf } from '../../src/advise/report/html.ts'
import { markdownOf } from '../../src/advise/report/markdown.ts'
import { pricedText } from '../../src/advise/report/priced.ts'
import { SCHEMAS, schemaText } from '../../src/advise/report/schemas.ts'
import { adviceShape } from '../../src/advise/report/shape.ts'
import { intervalSql, timesOf } from '../../src/advise/report/times.ts'
import { judge } from '../../src/advise/rules/verdict.ts'
import { adviceLines } from '../../src/cli/render/advice.ts'
import { PLAIN } from '../../src/cli/render/style.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { BOOK, CASES, needsOf } from './asked.ts'

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

test('on a terminal no line is longer than it is wide', () => {
  for (const { id, advice } of ADVICE)
    for (const columns of [80, 110])
      for (const line of adviceLines(advice, PLAIN, columns))
        assert.ok(line.length <= columns, `${id}: ${line}`)
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
