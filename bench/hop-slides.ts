/**
 * A hop window of one hour by 10,000 keys, 1,000 events a second of event time, the key with most events of each slide; the slide shrunk
 * from 60 s to 1 s: `node bench/hop-slides.ts [seconds measured, 120 unless told] [slides, 60,10,1]`.
 *
 * One thread, the operators alone, a batch a second of event time. Measured once the windows are full; told: seconds of CPU for an hour
 * of event time, and how many times those of the first slide.
 */
import type { Batch } from '../src/data/batch.ts'
import { LinearMemory } from '../src/data/memory.ts'
import type { OperatorContext } from '../src/engine/evaluation.ts'
import type { Emit, Operator } from '../src/engine/operator.ts'
import { operatorOf } from '../src/engine/operators/operators.ts'
import { inputsOf } from '../src/plan/inputs.ts'
import { type PlanNode, schemaOf } from '../src/plan/nodes.ts'
import { wantedGroups } from '../src/plan/wanted-groups.ts'
import { CONNECTORS } from '../src/run/connectors.ts'
import { bindText } from '../src/sql/bind-text.ts'
import { WATERMARK_MIN } from '../src/time/windows.ts'
import { seededRandom } from './nexmark/random.ts'
import { benchContext } from './operator-context.ts'

const KEYS = 10_000
const EVENTS_A_SECOND = 1000
const HOUR_S = 3600
const SECOND_US = 1_000_000n

function planOf(slideSeconds: number): PlanNode {
  const { queries, errors } = bindText(
    `CREATE TABLE events (k BIGINT NOT NULL, t TIMESTAMP(3) NOT NULL, WATERMARK FOR t AS t) WITH ('connector' = 'datagen');
     SELECT k, c, window_end FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY c DESC, k) AS n
       FROM (SELECT k, window_start, window_end, COUNT(*) AS c
         FROM TABLE(HOP(TABLE events, DESCRIPTOR(t), INTERVAL '${slideSeconds}' SECOND, INTERVAL '1' HOUR))
         GROUP BY k, window_start, window_end)) WHERE n = 1`,
    'hop-slides',
    CONNECTORS,
  )
  if (errors[0] !== undefined) throw errors[0]
  return queries[0]!
}

/** The operators above the scan, in the order in which rows pass them. */
function operatorsOf(root: PlanNode, context: OperatorContext): Operator[] {
  const plans: PlanNode[] = []
  for (let node = root; node.kind !== 'watermark-assigner'; node = inputsOf(node)[0]!) {
    plans.unshift(node)
  }
  const place = { index: 0, id: 'bench', inputs: [], consumers: [] }
  const wanted = wantedGroups([root])
  return plans.map((plan) => {
    const node = {
      ...place,
      kind: 'operator',
      plan,
      wanted: wanted.get(JSON.stringify(plan)),
    } as Parameters<typeof operatorOf>[0]
    return operatorOf(node, context, { inputUpdates: false, watermarkUs: WATERMARK_MIN })
  })
}

function measure(slideSeconds: number, measuredSeconds: number) {
  const memory = new LinearMemory()
  const context = benchContext(memory)
  const plan = planOf(slideSeconds)
  let scan = plan
  while (scan.kind !== 'scan') scan = inputsOf(scan)[0]!
  const operators = operatorsOf(plan, context)
  let told = 0
  const emits: Emit[] = operators.map((_, index) => (batch) => {
    if (index === operators.length - 1) told += batch.count
    else operators[index + 1]!.onBatch(batch, emits[index + 1]!, 0)
  })
  const random = seededRandom(42)
  const second = (at: number): void => {
    const mark = memory.arena.mark()
    operators[0]!.onBatch(batchOf(memory, random, scan, at), emits[0]!, 0)
    memory.arena.release(mark)
    const watermarkUs = BigInt(at + 1) * SECOND_US - 1000n
    operators.forEach((operator, index) => {
      operator.onWatermark(watermarkUs, emits[index]!)
      memory.arena.release(mark)
    })
  }
  for (let at = 0; at < HOUR_S; at++) second(at)
  const before = told
  const cpu = process.cpuUsage()
  for (let at = HOUR_S; at < HOUR_S + measuredSeconds; at++) second(at)
  const { user, system } = process.cpuUsage(cpu)
  for (const operator of operators) operator.dispose()
  return { cpuSeconds: (((user + system) / 1e6) * HOUR_S) / measuredSeconds, told: told - before }
}

function batchOf(
  memory: LinearMemory,
  random: ReturnType<typeof seededRandom>,
  scan: PlanNode,
  second: number,
): Batch {
  const [keys, times] = [0, 1].map(() => memory.arena.allocate(8 * EVENTS_A_SECOND))
  const { i64 } = memory
  for (let row = 0; row < EVENTS_A_SECOND; row++) {
    i64[keys! / 8 + row] = BigInt(random.below(KEYS))
    i64[times! / 8 + row] = BigInt(second) * SECOND_US + BigInt(row) * 1000n
  }
  const columns = schemaOf(scan).map(({ type }, index) => ({
    type,
    cells: [keys!, times!][index]!,
    validity: 0,
  }))
  return { rowCount: EVENTS_A_SECOND, columns, kinds: 0, selection: 0, count: EVENTS_A_SECOND }
}

if (import.meta.main) {
  const [seconds = '120', slides = '60,10,1'] = process.argv.slice(2)
  console.log('slide s   CPU s/hour   times   rows told')
  let first: number | undefined
  for (const slide of slides.split(',').map(Number)) {
    const { cpuSeconds, told } = measure(slide, Number(seconds))
    first ??= cpuSeconds
    const figures = [
      cpuSeconds.toFixed(1).padStart(12),
      (cpuSeconds / first).toFixed(2).padStart(7),
      `${told}`.padStart(11),
    ]
    console.log(`${`${slide}`.padStart(7)} ${figures.join(' ')}`)
  }
}
