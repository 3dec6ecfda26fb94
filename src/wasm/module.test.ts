import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { flatten, type Label, signed, unsigned } from './code.ts'
import {
  block,
  branch,
  branchIf,
  f64,
  get,
  i8x16,
  i32,
  i64,
  i64x2,
  loop,
  memoryFill,
  returnValue,
  select,
  set,
  tee,
  v128,
  when,
} from './instructions.ts'
import { call, defineModule, instantiate, type ModuleBuilder } from './module.ts'

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true })
const bytes = new Uint8Array(memory.buffer)

type Run = (...values: (number | bigint)[]) => number | bigint
function run(module: ModuleBuilder, name: string, imports: WebAssembly.ModuleImports = {}): Run {
  return instantiate(module.encode(), memory, imports).exports[name] as Run
}

test('a loop with a block sums the numbers below its argument', () => {
  const module = defineModule()
  const sum = module.func('sum', ['i32'], 'i64')
  const until = sum.param(0, 'i32')
  const at = sum.local('i32')
  const total = sum.local('i64')
  sum.body(
    block((done) => [
      loop((again) => [
        branchIf(done, i32.geU(get(at), get(until))),
        set(total, i64.add(get(total), i64.extendU(get(at)))),
        set(at, i32.add(get(at), i32.const(1))),
        branch(again),
      ]),
    ]),
    get(total),
  )
  assert.equal(run(module, 'sum')(10), 45n)
})

test('a branch leaves the block it names, however deep it stands', () => {
  const module = defineModule()
  const pick = module.func('pick', ['i32'], 'i32')
  const which = pick.param(0, 'i32')
  pick.body(
    block((outer) => [
      block((inner) => [
        when(i32.eqz(get(which)), [branch(outer)], [when(i32.const(1), [branch(inner)])]),
      ]),
      returnValue(i32.const(2)),
    ]),
    i32.const(1),
  )
  assert.equal(run(module, 'pick')(0), 1)
  assert.equal(run(module, 'pick')(7), 2)
})

test('functions call imports and each other, and read and write the shared memory', () => {
  const module = defineModule()
  const imported = module.import('triple', ['i32'], 'i32')
  const inner = module.func('inner', ['i32'], 'i32')
  inner.body(i32.add(call(imported, 'i32', get(inner.param(0, 'i32'))), i32.const(1)))
  const outer = module.func('outer', ['i32', 'i32'], 'i32')
  const kept = outer.local('i32')
  outer.body(
    memoryFill(get(outer.param(0, 'i32')), i32.const(0), i32.const(8)),
    i32.store8(
      get(outer.param(0, 'i32')),
      tee(kept, call(inner, 'i32', get(outer.param(1, 'i32')))),
      3,
    ),
    get(kept),
  )
  assert.equal(run(module, 'outer', { triple: (value: number) => 3 * value })(64, 5), 16)
  assert.deepEqual([...bytes.subarray(64, 72)], [0, 0, 0, 16, 0, 0, 0, 0])
})

test('vectors compare, mask and give their lanes', () => {
  const module = defineModule()
  const find = module.func('find', ['i32', 'i32'], 'i32')
  find.body(
    i32.ctz(
      i8x16.bitmask(i8x16.eq(v128.load(get(find.param(0, 'i32'))), v128.const(Array(16).fill(34)))),
    ),
  )
  const lane = module.func('lane', ['i32'], 'i64')
  lane.body(i64x2.extract(v128.load(get(lane.param(0, 'i32'))), 1))
  bytes.set(new TextEncoder().encode('0123456789a"cdef'), 128)
  assert.equal(run(module, 'find')(128, 0), 11)
  assert.equal(run(module, 'lane')(128), new DataView(memory.buffer).getBigInt64(136, true))
})

test('doubles divide, and a selection takes either side', () => {
  const module = defineModule()
  const half = module.func('half', ['i64', 'i32'], 'f64')
  const value = f64.convertI64(get(half.param(0, 'i64')))
  half.body(select(f64.div(value, f64.convertI64(i64.const(2n))), value, get(half.param(1, 'i32'))))
  assert.equal(run(module, 'half')(7n, 1), 3.5)
  assert.equal(run(module, 'half')(7n, 0), 7)
})

test('constants of every size come back as they were', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
      fc.integer(),
      (wide, narrow) => {
        const module = defineModule()
        module.func('wide', [], 'i64').body(i64.const(wide))
        module.func('narrow', [], 'i32').body(i32.const(narrow))
        assert.equal(run(module, 'wide')(), wide)
        assert.equal(run(module, 'narrow')(), narrow)
      },
    ),
    { numRuns: 100 },
  )
  assert.deepEqual(unsigned(2 ** 32 - 1), [0xff, 0xff, 0xff, 0xff, 0x0f])
  assert.deepEqual(signed(-65n), [0xbf, 0x7f])
})

test('a branch to a label it does not stand in is refused', () => {
  let escaped: Label | undefined
  const inside = block((label) => {
    escaped = label
    return []
  })
  assert.throws(() => flatten([inside.code, branch(escaped!).code]), { code: 'INVARIANT_BROKEN' })
  const module = defineModule()
  const one = module.func('one', ['i32'], 'i32')
  assert.throws(() => call(one, 'i32', i64.const(1n)), { code: 'INVARIANT_BROKEN' })
})
