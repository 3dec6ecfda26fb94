/** Laws that hold for all needs: what may change when one answer does. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ENGINE_SIZES } from '../../src/advise/capacity/engines.ts'
import { PLATFORM_SIZES } from '../../src/advise/capacity/platforms.ts'
import {
  CLOUDS,
  CONSEQUENCES,
  ENGINES,
  LOSSES,
  type Needs,
  type Output,
  PLATFORMS,
  WHATS,
} from '../../src/advise/needs/needs.ts'
import { loadOf } from '../../src/advise/plan/load.ts'
import { cheapestAt, planFor } from '../../src/advise/plan/plan.ts'
import { VERDICTS } from '../../src/advise/rules/rules.ts'
import { judge } from '../../src/advise/rules/verdict.ts'
import { fc } from '../builders/properties.ts'
import { BOOK } from './asked.ts'

const RUNS = { numRuns: 80 }

const output: fc.Arbitrary<Output> = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  what: fc.constantFrom(...WHATS),
  actor: fc.string({ minLength: 1 }),
  ifOneHourOld: fc.string({ minLength: 1 }),
  consequence: fc.constantFrom(...CONSEQUENCES),
  freshnessSeconds: fc.constantFrom(0.2, 1, 5, 30, 60, 61, 300, 900, 3599, 3600, 7200, 86_400),
  from: fc.constantFrom('orders', 'clicks'),
  rate: fc.constantFrom(1, 50, 2000, 40_000, 500_000),
  peak: fc.constantFrom(500_000, 800_000, 2_000_000),
  bytes: fc.constantFrom(100, 1000, 30_000),
  historyDays: fc.constantFrom(1, 7, 30, 400),
  latenessSeconds: fc.constantFrom(0, 60, 172_800),
  stateBytes: fc.constantFrom(0, 1e8, 2e9, 4e11),
  correctness: fc.constantFrom('exactly-once' as const, 'at-least-once' as const),
  delivers: fc.constantFrom('table' as const, 'service' as const),
})
const small = output.map((each) => ({ ...each, peak: each.rate * 2 }))

const needs: fc.Arbitrary<Needs> = fc.record({
  name: fc.constant('law'),
  context: fc.record({
    clouds: fc.subarray([...CLOUDS], { minLength: 1 }),
    regions: fc.constant([]),
    compliance: fc.subarray(['no-new-vendor' as const]),
    platforms: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.constantFrom(...PLATFORMS).map((each) => [each]) },
    ),
    engines: fc.subarray([...ENGINES], { maxLength: 2 }),
    readers: fc.constant([]),
    skills: fc.subarray(['flink', 'spark', 'kafka', 'sql', 'java']),
    batchLayer: fc.constantFrom('none' as const, 'must-stay' as const),
    newSystems: fc.constantFrom('allowed' as const, 'allowed' as const, 'refused' as const),
    operatingHourPrice: fc.constantFrom(0, 60, 150),
    availability: fc.record({
      survives: fc.constantFrom(...LOSSES.slice(0, 3)),
      rtoSeconds: fc.constantFrom(60, 600, 7200),
      rpoSeconds: fc.constant(0),
    }),
  }),
  outputs: fc
    .array(small, { minLength: 1, maxLength: 3 })
    .map((all) => all.map((each, index) => ({ ...each, name: `output-${index}` }))),
  assumptions: fc.constant([]),
})

/** Nothing that meets the needs costs more than anything. */
function costOf(asked: Needs): number {
  return planFor(asked, BOOK).chosen?.total ?? Number.POSITIVE_INFINITY
}

function withOutput(asked: Needs, index: number, change: Partial<Output>): Needs {
  const outputs = asked.outputs.map((each, at) => (at === index ? { ...each, ...change } : each))
  return { ...asked, outputs }
}

test('more freshness never costs less, along the curve', () => {
  fc.assert(
    fc.property(needs, (asked) => {
      const totals = [1, 60, 900, 3600, 86_400].map(
        (seconds) => cheapestAt(asked, BOOK, seconds)?.total ?? Number.POSITIVE_INFINITY,
      )
      for (const [index, total] of totals.entries())
        assert.ok(index === 0 || total <= totals[index - 1]! + 1e-6, totals.join(' '))
    }),
    RUNS,
  )
})

test('more freshness of one output never makes the plan cheaper', () => {
  fc.assert(
    fc.property(needs, fc.nat(2), fc.constantFrom(2, 10, 100), (asked, at, factor) => {
      const index = at % asked.outputs.length
      const { freshnessSeconds } = asked.outputs[index]!
      const stricter = withOutput(asked, index, { freshnessSeconds: freshnessSeconds / factor })
      assert.ok(costOf(stricter) >= costOf(asked) - 1e-6)
    }),
    RUNS,
  )
})

test('a stricter need never moves toward batch: neither more freshness nor a graver consequence than none', () => {
  fc.assert(
    fc.property(output, fc.constantFrom(1, 2, 10, 100), (each, factor) => {
      const rank = (of: Output) => VERDICTS.indexOf(judge(of).verdict)
      const fresher = { ...each, freshnessSeconds: each.freshnessSeconds / factor }
      assert.ok(rank(fresher) >= rank(each))
      for (const consequence of CONSEQUENCES) {
        const graver = CONSEQUENCES.indexOf(consequence) >= CONSEQUENCES.indexOf(each.consequence)
        if (graver) assert.ok(rank({ ...each, consequence }) >= rank(each), consequence)
      }
    }),
    { numRuns: 500 },
  )
})

test('doubling the volume never lowers a number of units, on any platform or engine', () => {
  fc.assert(
    fc.property(fc.array(output, { minLength: 1, maxLength: 2 }), (outputs) => {
      const doubled = outputs.map((each) => ({
        ...each,
        rate: each.rate * 2,
        peak: each.peak * 2,
        stateBytes: each.stateBytes * 2,
      }))
      const once = loadOf(outputs)
      const twice = loadOf(doubled)
      const log = { readers: 2, days: 7, crossesZones: true }
      for (const [name, size] of Object.entries(PLATFORM_SIZES))
        atLeast(name, size({ ...twice, ...log }, BOOK).units, size({ ...once, ...log }, BOOK).units)
      const engine = { intervalSeconds: 3600, holdsLog: false }
      for (const [name, size] of Object.entries(ENGINE_SIZES))
        atLeast(
          name,
          size({ ...twice, ...engine }, BOOK).units,
          size({ ...once, ...engine }, BOOK).units,
        )
    }),
    { numRuns: 200 },
  )
})

function atLeast(
  name: string,
  more: readonly { readonly name: string; readonly count: number }[],
  fewer: readonly { readonly name: string; readonly count: number }[],
): void {
  for (const [index, unit] of fewer.entries())
    assert.ok(more[index]!.count >= unit.count, `${name}: ${unit.name}`)
}

test('what is told for people alone changes nothing: actor, words, regions, names, order of skills', () => {
  fc.assert(
    fc.property(needs, fc.string({ minLength: 1 }), (asked, words) => {
      const changed: Needs = {
        ...asked,
        name: words,
        context: {
          ...asked.context,
          regions: [words],
          skills: [...asked.context.skills].reverse(),
        },
        outputs: asked.outputs.map((each) => ({ ...each, actor: words, ifOneHourOld: words })),
      }
      const before = planFor(asked, BOOK)
      const after = planFor(changed, BOOK)
      assert.equal(after.chosen?.total, before.chosen?.total)
      assert.deepEqual(after.chosen?.design, before.chosen?.design)
      assert.equal(after.pattern.id, before.pattern.id)
      assert.deepEqual(
        after.judged.map(({ rule }) => rule.id),
        before.judged.map(({ rule }) => rule.id),
      )
    }),
    RUNS,
  )
})

test('a dearer operating hour, and a larger loss to survive, never make the plan cheaper', () => {
  fc.assert(
    fc.property(needs, (asked) => {
      const { context } = asked
      const dearer = { ...asked, context: { ...context, operatingHourPrice: 300 } }
      assert.ok(costOf(dearer) >= costOf(asked) - 1e-6)
      const availability = { ...context.availability, survives: 'zone' as const }
      const safer = { ...asked, context: { ...context, availability } }
      assert.ok(costOf(safer) >= costOf(asked) - 1e-6)
    }),
    RUNS,
  )
})
