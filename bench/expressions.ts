/**
 * What compiled expressions do, one thread: `node bench/expressions.ts`. Batches of 8192 rows in cache; M rows/s, the median of rounds, and
 * whether the expression ran as a kernel.
 */
import type { Frame } from '../src/compile/compiled.ts'
import { compileExpression, compilePredicate } from '../src/compile/expression.ts'
import { LinearMemory } from '../src/data/memory.ts'
import { type DataType, types } from '../src/data/types.ts'
import type { Expression, LiteralValue } from '../src/plan/expressions.ts'
import { functionNamed } from '../src/plan/functions/registry.ts'

const ROWS = 8192
const ROUNDS = 31
const REPEATS = 40

const memory = new LinearMemory()
const column = (index: number, type: DataType): Expression => ({ kind: 'column', index, type })
const literal = (value: LiteralValue, type: DataType): Expression => ({
  kind: 'literal',
  value,
  type,
})

function call(name: string, ...args: readonly Expression[]): Expression {
  const literals = args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined))
  const resolved = functionNamed(name)!.resolve(
    args.map(({ type }) => type),
    literals,
  )
  if (typeof resolved === 'string') throw new Error(resolved)
  const cast = args.map((input, index): Expression => {
    const type = resolved.args[index]!
    return input.type.kind === type.kind ? input : { kind: 'cast', input, type, safe: false }
  })
  return { kind: 'call', function: name, args: cast, type: resolved.type }
}

function filledColumns(): Frame['columns'] {
  const [whole, real, text, time] = [0, 1, 2, 3].map(() => memory.allocate(8 * ROWS)) as [
    number,
    number,
    number,
    number,
  ]
  const words = memory.allocate(64)
  memory.u8.set(new TextEncoder().encode('Google  Facebook'), words)
  let state = 88172645n
  for (let row = 0; row < ROWS; row++) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n)
    memory.i64[whole / 8 + row] = (state >> 40n) % 100_000n
    memory.f64[real / 8 + row] = Number(state >> 44n) / 7
    memory.u32[text / 4 + 2 * row] = words + (state & (1n << 50n) ? 8 : 0)
    memory.u32[text / 4 + 2 * row + 1] = state & (1n << 50n) ? 8 : 6
    memory.i64[time / 8 + row] = 1_700_000_000_000_000n + (state >> 30n)
  }
  return [
    { type: types.bigint, cells: whole, validity: 0 },
    { type: types.double, cells: real, validity: 0 },
    { type: types.string, cells: text, validity: 0 },
    { type: types.timestamp(3), cells: time, validity: 0 },
  ]
}

const frame: Frame = {
  memory,
  rowCount: ROWS,
  columns: filledColumns(),
  selection: 0,
  count: ROWS,
  context: {
    nowUs: () => 0n,
    timeZone: 'UTC',
    overflow: 'wrap',
    fail: () => undefined,
    count: () => undefined,
  },
}

function measure(name: string, mark: string, run: () => void): void {
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const arena = memory.arena.mark()
      run()
      memory.arena.release(arena)
    }
    rates.push((ROWS * REPEATS) / 1000 / (performance.now() - start))
  }
  rates.sort((a, b) => a - b)
  console.log(`${name.padEnd(44)} ${mark.padEnd(7)} ${rates[ROUNDS >> 1]!.toFixed(1).padStart(8)}`)
}

const value = (name: string, expression: Expression) => {
  const compiled = compileExpression(expression, { memory })
  measure(name, compiled.mark, () => compiled.evaluate(frame))
}
const filter = (name: string, expression: Expression) => {
  const compiled = compilePredicate(expression, { memory })
  measure(name, compiled.mark, () => compiled.select(frame))
}

const bigint = column(0, types.bigint)
const double = column(1, types.double)
const text = column(2, types.string)
const time = column(3, types.timestamp(3))
const int = (told: number) => literal(String(told), { kind: 'int', nullable: false })

filter('WHERE MOD(auction, 123) = 0', call('EQUALS', call('MOD', bigint, int(123)), int(0)))
filter('WHERE auction < 50000', call('LESS', bigint, int(50000)))
filter(
  'WHERE auction > 10000 AND auction < 90000',
  call('AND', call('GREATER', bigint, int(10000)), call('LESS', bigint, int(90000))),
)
filter(
  'WHERE auction = 1007 OR auction = 2001',
  call('OR', call('EQUALS', bigint, int(1007)), call('EQUALS', bigint, int(2001))),
)
filter("WHERE channel = 'Google'", call('EQUALS', text, literal('Google', types.string)))
filter("WHERE channel LIKE 'Goo%'", call('LIKE', text, literal('Goo%', types.string)))
value(
  '0.908 * price (DECIMAL(23, 3))',
  call('TIMES', literal('0.908', types.decimal(3, 3)), bigint),
)
value('0.908 * x (DOUBLE)', call('TIMES', literal(0.908, types.double), double))
value('price + price (BIGINT)', call('PLUS', bigint, bigint))
value('MOD(price, 123)', call('MOD', bigint, int(123)))
value('HOUR(dateTime)', call('HOUR', time))
value('DATE_FORMAT(dateTime, ...)', call('DATE_FORMAT', time, literal('yyyy-MM-dd', types.string)))
value('LOWER(channel)', call('LOWER', text))
value('CAST(price AS STRING)', { kind: 'cast', input: bigint, type: types.string, safe: false })
