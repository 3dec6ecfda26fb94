/** What functions give, by table. Cases over whole expressions are in test/conformance; random ones in test/naive. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { LinearMemory } from '../../data/memory.ts'
import { type DataType, types } from '../../data/types.ts'
import type { Expression, LiteralValue } from '../../plan/expressions.ts'
import { functionNamed } from '../../plan/functions/registry.ts'
import { readerOf } from '../cells.ts'
import type { Frame } from '../compiled.ts'
import { compileExpression } from '../expression.ts'
import type { Value } from '../value.ts'

const NOW_US = 1_700_000_000_123_456n

interface Typed {
  readonly value: LiteralValue
  readonly type: DataType
}
type Argument = string | number | bigint | boolean | null | Typed

const timestamp = (micros: bigint): Typed => ({ value: String(micros), type: types.timestamp(3) })
const instant = (micros: bigint): Typed => ({ value: String(micros), type: types.timestampLtz(3) })
const date = (days: number): Typed => ({ value: String(days), type: types.date })
const decimal = (text: string, precision: number, scale: number): Typed => ({
  value: text,
  type: types.decimal(precision, scale),
})

function literal(argument: Argument): Expression {
  if (argument === null) return { kind: 'literal', value: null, type: types.string }
  switch (typeof argument) {
    case 'string':
      return { kind: 'literal', value: argument, type: types.string }
    case 'number':
      return Number.isInteger(argument)
        ? { kind: 'literal', value: String(argument), type: types.int }
        : { kind: 'literal', value: argument, type: types.double }
    case 'bigint':
      return { kind: 'literal', value: String(argument), type: types.bigint }
    case 'boolean':
      return { kind: 'literal', value: argument, type: types.boolean }
    default:
      return { kind: 'literal', ...argument }
  }
}

function bound(name: string, args: readonly Argument[]): Expression {
  const given = args.map(literal)
  const resolved = functionNamed(name)!.resolve(
    given.map(({ type }) => type),
    given.map((arg) => (arg.kind === 'literal' ? arg.value : undefined)),
  )
  assert.ok(typeof resolved !== 'string', String(resolved))
  const cast = given.map(
    (input, index): Expression => ({
      kind: 'cast',
      input,
      type: resolved.args[index]!,
      safe: false,
    }),
  )
  const same = (index: number) => given[index]!.type.kind === resolved.args[index]!.kind
  return {
    kind: 'call',
    function: functionNamed(name)!.name,
    args: given.map((arg, index) => (same(index) ? arg : cast[index]!)),
    type: resolved.type,
  }
}

/** The value over one row, or what failed. */
function run(expression: Expression, timeZone = 'UTC'): Value | { readonly failed: string } {
  const memory = new LinearMemory()
  let failed: string | undefined
  const frame: Frame = {
    memory,
    rowCount: 1,
    columns: [],
    selection: 0,
    count: 1,
    context: {
      nowUs: () => NOW_US,
      timeZone,
      overflow: 'wrap',
      fail: (_, reason) => {
        failed = reason
      },
      count: () => undefined,
    },
  }
  const vector = compileExpression(expression, { memory, random: () => 0.5 }).evaluate(frame)
  return failed === undefined ? readerOf(memory, vector)(0) : { failed }
}

type Case = readonly [name: string, args: readonly Argument[], expected: Value]

const TEXT: readonly Case[] = [
  ['UPPER', ['aé😀'], 'AÉ😀'],
  ['INITCAP', ['hello wORLD-1x'], 'Hello World-1x'],
  ['CHAR_LENGTH', ['a😀é'], 3n],
  ['CHARACTER_LENGTH', ['abc'], 3n],
  ['TRIM', ['BOTH', ' ', '  a b '], 'a b'],
  ['TRIM', ['LEADING', 'x', 'xax'], 'ax'],
  ['LTRIM', ['xxaxx', 'x'], 'axx'],
  ['RTRIM', ['xyaxy', 'yx'], 'xya'],
  ['SUBSTRING', ['abcdef', 3], 'cdef'],
  ['SUBSTRING', ['abcdef', -3, 2], 'de'],
  ['SUBSTRING', ['abc', 0, 2], 'ab'],
  ['LEFT', ['a😀c', 2], 'a😀'],
  ['RIGHT', ['abc', 2], 'bc'],
  ['OVERLAY', ['xxxxxtest', 'xxxx', 6, 2], 'xxxxxxxxxst'],
  ['REPLACE', ['hello world', 'world', 'flink'], 'hello flink'],
  ['POSITION', ['b', 'abcb'], 2n],
  ['LOCATE', ['b', 'abcb', 3], 4n],
  ['INSTR', ['Corporate Floor', 'or', -3, 2], 2n],
  ['LPAD', ['hi', 4, '??'], '??hi'],
  ['LPAD', ['hi', 1, '??'], 'h'],
  ['RPAD', ['hi', 5, 'ab'], 'hiaba'],
  ['REPEAT', ['ab', 3], 'ababab'],
  ['REVERSE', ['a😀b'], 'b😀a'],
  ['SPLIT_INDEX', ['a,b,c', ',', 1], 'b'],
  ['SPLIT_INDEX', ['a,b,c', ',', 5], null],
  ['CONCAT', ['a', 'b', 'c'], 'abc'],
  ['CONCAT', ['a', null], null],
  ['CONCAT_WS', ['-', 'a', null, 'b'], 'a-b'],
  ['ASCII', ['abc'], 97n],
  ['CHR', [97n], 'a'],
  ['MD5', ['abc'], '900150983cd24fb0d6963f7d28e17f72'],
  ['SHA1', ['abc'], 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['SHA2', ['abc', 256], 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['TO_BASE64', ['hello'], 'aGVsbG8='],
  ['FROM_BASE64', ['aGVsbG8='], 'hello'],
  ['LIKE', ['abc', 'a_c'], true],
  ['LIKE', ['a%c', 'a!%c', '!'], true],
  ['SIMILAR_TO', ['abab', '(ab)*'], true],
  ['REGEXP', ['foobar', 'o+b'], true],
  ['REGEXP_REPLACE', ['foobar', 'oo|ar', ''], 'fb'],
  ['REGEXP_REPLACE', ['a-b', '(\\w)-(\\w)', '$2-$1'], 'b-a'],
  ['REGEXP_EXTRACT', ['foothebar', 'foo(.*?)(bar)', 2], 'bar'],
  ['PARSE_URL', ['http://u@facebook.com/p/a.php?k1=v1&k2=v2#r', 'QUERY', 'k2'], 'v2'],
  ['PARSE_URL', ['http://facebook.com/path1/p.php?k1=v1#r', 'HOST'], 'facebook.com'],
  ['IS_DIGIT', ['123'], true],
  ['ELT', [2, 'a', 'b'], 'b'],
]

const NUMBER: readonly Case[] = [
  ['ABS', [-5], 5n],
  ['ROUND', [2.5], 3],
  ['ROUND', [-1.255, 2], -1.26],
  ['ROUND', [1234, -2], 1200n],
  ['ROUND', [decimal('2.345', 4, 3), 2], 235n],
  ['TRUNCATE', [42.345, 2], 42.34],
  ['FLOOR', [-1.5], -2],
  ['CEIL', [decimal('1.01', 3, 2)], 2n],
  ['CEIL', [decimal('-1.01', 3, 2)], -1n],
  ['SIGN', [-2.5], -1],
  ['POWER', [2, 10], 1024],
  ['LOG', [2, 8], 3],
  ['MOD', [-7, 3], -1n],
  ['GREATEST', [1, 3, 2], 3n],
  ['LEAST', ['b', 'a'], 'a'],
  ['BIN', [4n], '100'],
  ['HEX', [255], 'FF'],
  ['BITXOR', [5, 3], 6n],
  ['DIVIDE', [7, 2], 3n],
  ['DIVIDE', [decimal('1.00', 3, 2), decimal('3.00', 3, 2)], 333333n],
  ['TIMES', [decimal('99999999999999999999', 20, 0), decimal('99999999999999999999', 20, 0)], null],
  ['RAND', [1], 0.7308781907032909],
  ['RAND_INTEGER', [1, 100], 85n],
]

const HOUR_US = 3_600_000_000n
const TIME: readonly Case[] = [
  ['EXTRACT', ['YEAR', timestamp(0n)], 1970n],
  ['EXTRACT', ['DOW', date(0)], 5n],
  ['EXTRACT', ['WEEK', date(-1)], 1n],
  ['EXTRACT', ['ISOYEAR', date(-4)], 1969n],
  ['HOUR', [timestamp(-HOUR_US)], 23n],
  ['FLOOR', [timestamp(-1n), 'DAY'], -24n * HOUR_US],
  ['CEIL', [timestamp(1n), 'HOUR'], HOUR_US],
  ['FLOOR', [date(45), 'QUARTER'], 0n],
  ['TIMESTAMPADD', ['MONTH', 1, date(30)], 58n],
  ['TIMESTAMPDIFF', ['DAY', timestamp(0n), timestamp(49n * HOUR_US)], 2n],
  ['TIMESTAMPDIFF', ['MONTH', date(0), date(58)], 1n],
  [
    'DATE_FORMAT',
    [timestamp(1_500_000n), "yyyy/MM/dd HH:mm:ss.SSS 'x'"],
    '1970/01/01 00:00:01.500 x',
  ],
  ['TO_DATE', ['02.01.1970', 'dd.MM.yyyy'], 1n],
  ['TO_TIMESTAMP', ['1970-01-01 01:00:00'], HOUR_US],
  ['TO_TIMESTAMP', ['nonsense'], null],
  ['TO_TIMESTAMP_LTZ', [1000n, 3], 1_000_000n],
  ['FROM_UNIXTIME', [44n], '1970-01-01 00:00:44'],
  ['UNIX_TIMESTAMP', ['1970-01-01 00:00:10'], 10n],
  ['CONVERT_TZ', ['1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles'], '1969-12-31 16:00:00'],
  ['CURRENT_TIMESTAMP', [], 1_700_000_000_123_000n],
  ['NOW', [], 1_700_000_000_123_000n],
  ['CURRENT_DATE', [], 19675n],
]

const JSON_CASES: readonly Case[] = [
  ['JSON_VALUE', ['{"a":{"b":[1,"x"]}}', '$.a.b[1]'], 'x'],
  ['JSON_VALUE', ['{"a":true}', '$.a', 'BOOLEAN'], true],
  ['JSON_VALUE', ['{"a":12345678901234567890}', '$.a'], '12345678901234567890'],
  ['JSON_VALUE', ['{}', '$.a', 'STRING', null, 'DEFAULT', 'none', null, null], 'none'],
  ['JSON_EXISTS', ['{"a":null}', '$.a'], true],
  ['JSON_EXISTS', ['{"a":1}', 'strict $.b', null, null, null, null, 'TRUE', null], true],
  ['JSON_QUERY', ['{"a":[1,2]}', '$.a'], '[1,2]'],
  ['JSON_QUERY', ['{"a":1}', '$.a', null, 'UNCONDITIONAL', null, null, null, null], '[1]'],
  ['JSON_OBJECT', ['NULL', 'b', 1, 'a', null], '{"a":null,"b":1}'],
  ['JSON_OBJECT', ['ABSENT', 'a', null], '{}'],
  ['JSON_ARRAY', ['NULL', 1, 'x', null], '[1,"x",null]'],
  ['JSON_STRING', [decimal('1.50', 3, 2)], '1.50'],
  ['JSON_STRING', [{ value: 2, type: types.double }], '2.0'],
  ['TYPEOF', ['x'], 'STRING'],
  ['JSON_QUOTE', ['a"/é'], '"a\\"\\/\\u00e9"'],
  ['JSON_UNQUOTE', ['"a\\tb"'], 'a\tb'],
  ['IS_JSON', ['[1]', 'ARRAY'], true],
  ['IS_JSON', ['nonsense'], false],
]

for (const [group, cases] of Object.entries({ TEXT, NUMBER, TIME, JSON_CASES })) {
  for (const [name, args, expected] of cases) {
    const told = args.map((arg) => (typeof arg === 'bigint' ? String(arg) : JSON.stringify(arg)))
    test(`${group}: ${name}(${told.join(', ')}) is ${String(expected)}`, () => {
      const value = run(bound(name, args))
      if (typeof expected === 'number') assert.ok(Math.abs((value as number) - expected) < 1e-12)
      else assert.deepEqual(value, expected)
    })
  }
}

test('a TIMESTAMP_LTZ is told on the clocks of the session zone', () => {
  const format = bound('DATE_FORMAT', [instant(0n), 'yyyy-MM-dd HH:mm'])
  assert.equal(run(format, 'Asia/Shanghai'), '1970-01-01 08:00')
  assert.equal(run(bound('EXTRACT', ['HOUR', instant(0n)]), 'America/New_York'), 19n)
})

test('a time that clocks skip is moved on, and of one they show twice it is the first', () => {
  const read = (text: string) => run(bound('UNIX_TIMESTAMP', [text]), 'Europe/Berlin')
  assert.equal(read('2024-03-31 02:30:00'), BigInt(Date.UTC(2024, 2, 31, 1, 30) / 1000))
  assert.equal(read('2024-10-27 02:30:00'), BigInt(Date.UTC(2024, 9, 27, 0, 30) / 1000))
})

test('casts give the texts that Flink gives', () => {
  const cast = (argument: Argument, type: DataType = types.string) =>
    run({ kind: 'cast', input: literal(argument), type, safe: false })
  assert.equal(cast(1e10 + 0.5), '1.00000000005E10')
  assert.equal(cast({ value: 5, type: types.double }), '5.0')
  assert.equal(cast({ value: 1.1, type: types.float }), '1.1')
  assert.equal(cast(true), 'TRUE')
  assert.equal(cast(decimal('1.50', 5, 2)), '1.50')
  assert.equal(cast(timestamp(1_230_000n)), '1970-01-01 00:00:01.230')
  assert.equal(cast('abcdef', { kind: 'varchar', length: 3, nullable: true }), 'abc')
  assert.equal(cast('ab', { kind: 'char', length: 4, nullable: true }), 'ab  ')
  assert.deepEqual(cast('x', types.int), { failed: "'x' is no whole number" })
  assert.equal(cast(' 12.9 ', types.int), 12n)
  assert.equal(cast(300, types.tinyint), 44n)
  assert.equal(cast(1e20 + 0.5, types.decimal(10, 2)), null)
  assert.equal(cast('2024-02-30', { kind: 'varchar', length: 4, nullable: true }), '2024')
})

test('TRY_CAST gives NULL where CAST fails', () => {
  assert.equal(run({ kind: 'cast', input: literal('x'), type: types.int, safe: true }), null)
})

test('what is too large, or no pattern, fails its row and nothing else', () => {
  const failed = (name: string, ...args: readonly Argument[]) => {
    const value = run(bound(name, args))
    return typeof value === 'object' && value !== null && 'failed' in value
  }
  assert.ok(failed('REPEAT', 'abc', 2_000_000_000))
  assert.ok(failed('LPAD', 'abc', 2_000_000_000, 'x'))
  assert.ok(failed('TIMESTAMPADD', 'YEAR', 2n ** 62n, timestamp(0n)))
  assert.ok(failed('LIKE', 'a', 'a!', '!'))
  assert.ok(failed('SIMILAR_TO', 'a', '(('))
  assert.ok(failed('CONVERT_TZ', '1970-01-01 00:00:00', 'UTC', 'Nowhere/At_All'))
})
