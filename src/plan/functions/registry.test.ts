import assert from 'node:assert/strict'
import test from 'node:test'
import { type DataType, types, withNullability } from '../../data/types.ts'
import { castRefusal } from './castable.ts'
import { commonType } from './coercion.ts'
import { aggregateNamed, functionNamed, functionNames } from './registry.ts'
import { typeText } from './type-text.ts'

const char = (length: number): DataType => ({ kind: 'char', length, nullable: false })
const bigint = types.bigint

function typeOf(name: string, args: readonly DataType[], literals: readonly string[] = []): string {
  const resolved = functionNamed(name)!.resolve(args, literals)
  return typeof resolved === 'string' ? resolved : typeText(resolved.type)
}

test('arithmetic gives the types that Flink gives', () => {
  const cases: readonly [string, DataType, DataType, string][] = [
    ['PLUS', types.decimal(19, 0), types.decimal(19, 0), 'DECIMAL(20, 0)'],
    ['DIVIDE', types.decimal(19, 0), types.int, 'DECIMAL(30, 11)'],
    ['DIVIDE', types.decimal(19, 0), types.decimal(19, 0), 'DECIMAL(38, 19)'],
    ['TIMES', types.decimal(19, 0), types.int, 'DECIMAL(30, 0)'],
    ['TIMES', types.decimal(3, 3), bigint, 'DECIMAL(23, 3)'],
    ['MOD', types.decimal(19, 0), types.int, 'INT'],
    ['MOD', bigint, types.int, 'INT'],
    ['PLUS', types.tinyint, bigint, 'BIGINT'],
    ['PLUS', types.float, types.decimal(3, 1), 'DOUBLE'],
    ['MINUS', types.timestamp(3), { kind: 'interval_day_second', nullable: false }, 'TIMESTAMP(3)'],
  ]
  for (const [name, a, b, expected] of cases) assert.equal(typeOf(name, [a, b]), expected)
})

test('a refusal says which argument does not fit and why', () => {
  assert.equal(typeOf('UPPER', [types.int]), 'argument 1 of UPPER must be a text, not INT')
  assert.equal(typeOf('UPPER', []), 'UPPER takes 1 argument, not 0')
  assert.equal(typeOf('EQUALS', [types.string, types.int]), "STRING can't be compared with INT")
  assert.match(typeOf('EXTRACT', [types.string, types.date], ['FORTNIGHT']), /not FORTNIGHT/)
})

test('a call is NULL only if an argument may be', () => {
  assert.equal(typeOf('UPPER', [char(3)]), 'VARCHAR(3) NOT NULL')
  assert.equal(typeOf('COALESCE', [types.int, { kind: 'int', nullable: false }]), 'INT NOT NULL')
  assert.equal(typeOf('IS_NULL', [types.int]), 'BOOLEAN NOT NULL')
})

test('two types have the common type that Flink derives', () => {
  const common = (a: DataType, b: DataType) => {
    const type = commonType(a, b)
    return type && typeText(withNullability(type, true))
  }
  assert.equal(common(char(2), char(3)), 'VARCHAR(3)')
  assert.equal(common(types.decimal(10, 2), bigint), 'DECIMAL(21, 2)')
  assert.equal(common(types.timestamp(3), types.timestampLtz(6)), 'TIMESTAMP_LTZ(6)')
  assert.equal(common(types.date, types.timestamp(3)), 'TIMESTAMP(3)')
  assert.equal(common(types.string, types.int), undefined)
})

test('casts that lose the meaning are refused with the way out', () => {
  assert.match(castRefusal(types.timestamp(3), bigint)!, /UNIX_TIMESTAMP/)
  assert.match(castRefusal(bigint, types.timestamp(3))!, /TO_TIMESTAMP/)
  assert.equal(castRefusal(types.bytes, bigint), "BYTES can't be cast to BIGINT")
  assert.equal(castRefusal(types.string, types.date), undefined)
})

test('aggregates have the types that Flink gives', () => {
  const of = (name: string, type: DataType) => {
    const resolved = aggregateNamed(name)!.resolve([type], [])
    return typeof resolved === 'string' ? resolved : typeText(resolved.type)
  }
  assert.equal(of('SUM', types.decimal(10, 2)), 'DECIMAL(38, 2)')
  assert.equal(of('AVG', types.decimal(10, 2)), 'DECIMAL(38, 6)')
  assert.equal(of('AVG', types.int), 'INT')
  assert.equal(of('COUNT', types.string), 'BIGINT NOT NULL')
})

test('no name is given twice', () => {
  const names = functionNames()
  assert.equal(new Set(names).size, names.length)
})
