/** The case book: the model against what an architect wrote down before. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { parse } from 'yaml'
import { evaluateAll, situationOf } from '../../src/advise/plan/designs.ts'
import { planFor } from '../../src/advise/plan/plan.ts'
import { judge, judgeFlipped } from '../../src/advise/rules/verdict.ts'
import { BOOK, CASES, needsOf } from './asked.ts'

test('the case book has thirty situations and more, each with its reason', () => {
  assert.ok(CASES.length >= 30)
  assert.equal(new Set(CASES.map(({ id }) => id)).size, CASES.length)
  for (const { answer } of CASES) assert.ok(answer.why.length > 20)
})

for (const { id, situation, needs: asked, answer } of CASES) {
  test(`${id}: ${situation}`, () => {
    const needs = needsOf(asked)
    const plan = planFor(needs, BOOK)
    const verdicts = plan.judged.map(({ output, verdict, rule }) => [
      output.name,
      { verdict, rule: rule.id },
    ])
    assert.deepEqual(Object.fromEntries(verdicts), answer.outputs)
    assert.equal(plan.pattern.pattern, answer.pattern)
    assert.equal(plan.format.format, answer.format)
    if (answer.platform.length === 0) {
      assert.equal(plan.chosen, undefined, 'nothing meets it')
      return
    }
    assert.ok(plan.chosen, plan.evaluated[0]?.broken.map(({ says }) => says).join('; '))
    const { design, total } = plan.chosen
    assert.ok(answer.platform.includes(design.platform.platform), design.platform.id)
    assert.ok(answer.engine.includes(design.engine.engine), design.engine.id)
    const [low, high] = answer.monthly
    assert.ok(total >= low && total <= high, `${total} USD is not within ${low} and ${high}`)
  })
}

test('each verdict of the case book flips when the question of its rule is answered otherwise', () => {
  for (const { needs } of CASES)
    for (const output of needsOf(needs).outputs) {
      const { rule } = judge(output)
      for (const { change, verdict, question } of rule.flips)
        assert.equal(judgeFlipped(output, change).verdict, verdict, `${output.name}: ${question}`)
    }
})

test('a managed Kafka with a managed Flink costs what teams report, for a workload fixed beforehand', () => {
  const {
    needs: asked,
    stacks,
    monthly,
  } = parse(readFileSync('test/advise/overbought.yaml', 'utf8'))
  const needs = needsOf(asked)
  const planned = needs.outputs.map((output) => ({
    output,
    isBatch: false,
    seconds: output.freshnessSeconds,
  }))
  const all = evaluateAll(situationOf(needs, BOOK, 'streaming-lakehouse', planned))
  for (const [platform, engine] of stacks) {
    const found = all.filter(
      ({ design, broken }) =>
        broken.length === 0 &&
        design.platform.platform === platform &&
        design.engine.engine === engine,
    )
    assert.ok(found.length > 0, `${platform} with ${engine}`)
    for (const { total, design } of found)
      assert.ok(
        total >= monthly[0] && total <= monthly[1],
        `${design.platform.id} with ${engine}: ${total}`,
      )
  }
})
