/** JSON records with everything that goes wrong, made from sound ones; deterministic by seed. */

export interface Mutator {
  /** A number in [0, below). */
  readonly random: (below: number) => number
  /** The record, changed in one of many ways, or not at all. */
  mutate(record: string): Uint8Array
}

const STRINGS = [
  '',
  'a\\"b',
  'back\\\\slash',
  'tab\\t',
  '\\u00e9',
  '\\ud83d\\ude00',
  '\\ud800',
  '\\udc00x',
  '\\ud800\\u0041',
  'é',
  '日本語',
  '😀',
  '\u2028',
  'x'.repeat(15),
  'x'.repeat(16),
  'x'.repeat(17),
  'x'.repeat(300),
  '{"a":1}',
  '],[',
  ' ',
  '\\/',
  '\x7f',
  'NaN',
  '-Infinity',
  ' 7 ',
  '12',
  '-0.5',
  '1e2',
  'true',
  'FALSE',
  'AQID',
  'AQI=',
  'AQ==',
  'AR==',
  'A',
  'A===',
  'AQ=I',
  'true\\u0020',
  '\\u0031',
  'x',
  'é'.repeat(9),
]
const STRINGS_BAD = ['a\tb', 'a\nb', '\\x', '\\u12g4', '\x00', '\x1f', '\\', '\\u12']
const NUMBERS = [
  '0',
  '-1',
  '-0',
  '-0.0',
  '127',
  '128',
  '-128',
  '-129',
  '32768',
  '2147483647',
  '2147483648',
  '-2147483649',
  '12345678',
  '123456789',
  '1234567890123456',
  '12345678901234567',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '-9223372036854775809',
  '99999999999999999999',
  '1.0',
  '1.00',
  '1e3',
  '1.5e1',
  '1E-2',
  '100e-2',
  '0.1',
  '12.345',
  '-12.3456',
  '123456789012345.678',
  '1.7976931348623157e308',
  '1e400',
  '5e-324',
  '1e-400',
  '0.30000000000000004',
  '9007199254740993',
  '"12"',
  'true',
  'false',
  'null',
  '{}',
  '[1,2]',
  '12345678901234567890123456789012345678',
  '123456789012345678901234567890123456789',
  '0.00000000000000000000000000000000000001',
  '99999999.99',
  '100000000.00',
  '99999999.995',
  '0e99999999999',
  '7.0000000000000000000000000000000000000000000001',
]
const NUMBERS_BAD = [
  '',
  '01',
  '-',
  '+1',
  '1.',
  '.5',
  '0x10',
  '1e',
  'NaN',
  '--1',
  '1 2',
  '00',
  '-01',
  'tru',
  'nulL',
  'truee',
  '1e+',
  "'a'",
]
const TIMES = [
  '2024-02-29 23:59:59.999',
  '1969-12-31 00:00:00.001',
  '2000-02-29 00:00:00.000',
  '9999-12-31 23:59:59.999',
  '0000-01-01 00:00:00.000',
  '2023-02-29 00:00:00.000',
  '2024-13-01 00:00:00.000',
  '2024-00-01 00:00:00.000',
  '2024-01-32 00:00:00.000',
  '2024-04-31 00:00:00.000',
  '2024-01-01 24:00:00.000',
  '2024-01-01 00:60:00.000',
  '2024-01-01 00:00:60.000',
  '2024-01-01T00:00:00.000',
  '2024-01-01 00:00:00.00',
  '2024-01-01 00:00:00.0000',
  '2024-01-01 00:00:00.123456789',
  '2024-01-01 00:00:00.1234567890',
  '2024-01-01 00:00',
  '2024-01-01 00:00:00',
  '2024-1-01 00:00:00.000',
  '2024-01-01 00:00:0a.000',
  '2024-01-01 00:00:00:000',
  '2\\u003024-01-01 00:00:00.000',
  '',
  '2024-01-01',
  '2024-01-01 0/:00:00.000',
  '2024-01-01 00:00:00.000Z',
  '2024-01-01 00:00:00Z',
  '2024-01-01 00:00:00+02:00',
  '2024-01-01T00:00:00.5-11:30',
  '23:59:59',
  '00:00',
  '12:34:56.7',
  '24:00:00',
  '2024-01-01 2:00:00',
  '2024-01-01 00:00:00.000 ',
  '2024-01-01 00:00:00.',
]
const NESTED = [
  '{"auction":5,"x":[1,{"price":2}]}',
  '[]',
  '{}',
  '"}"',
  '[[["]"]]]',
  '1e400',
  'false',
  '[1,]',
  '{"a"}',
  '{"a":1,}',
  '[1 2]',
]

export function createMutator(seed: number): Mutator {
  let state = seed | 1
  const random = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!
  const anyValue = () => {
    const kind = random(8)
    if (kind < 3) return pick(NUMBERS)
    if (kind < 5) return `"${pick(STRINGS)}"`
    if (kind < 7) return `"${pick(TIMES)}"`
    return pick(NESTED)
  }
  return {
    random,
    mutate(record) {
      const bytes = Buffer.from(record)
      const entries = Object.entries(JSON.parse(record)).map(
        ([key, value]) => [JSON.stringify(key), JSON.stringify(value)] as [string, string],
      )
      const at = random(entries.length)
      const entry = entries[at]!
      let [separator, colon, open, close] = [',', ':', '{', '}']
      switch (random(24)) {
        case 0:
          return bytes
        case 1:
          entries.sort(() => random(3) - 1)
          break
        case 2:
          ;[entries[at], entries[0]] = [entries[0]!, entry]
          break
        case 3:
          separator = pick([', ', ' ,', '\n,', ',\t', ',\r\n ', ';', ',,', ''])
          break
        case 4:
          colon = pick([': ', ' :', ' : ', '\n:\t', '=', ''])
          break
        case 5:
          open = pick([' {', '{ ', '\n{\t', '[', ''])
          close = pick(['} ', ' }', '}\n', '\t}', ']', ''])
          break
        case 6:
        case 7:
          entry[1] = `"${pick(STRINGS)}"`
          break
        case 8:
        case 9:
        case 10:
          entry[1] = pick(NUMBERS)
          break
        case 11:
          entry[1] = 'null'
          break
        case 12:
          entries.splice(at, 1)
          break
        case 13:
          entries.splice(at, 0, ['"nested"', pick(NESTED)])
          break
        case 14:
        case 15:
          entry[1] = `"${pick(TIMES)}"`
          break
        // The same key again: the last counts.
        case 16:
          entries.push([entry[0], anyValue()])
          break
        case 17:
          entry[0] = pick([
            '"auct\\u0069on"',
            '"Auction"',
            '""',
            '"price "',
            '"__proto__"',
            '"constructor"',
            'x',
          ])
          break
        case 18:
          entry[1] = pick(NUMBERS_BAD)
          break
        case 19:
          entry[1] = `"${pick(STRINGS_BAD)}"`
          break
        case 20:
          return bytes.subarray(0, random(bytes.length))
        case 21:
          return Buffer.concat([
            bytes,
            Buffer.from(pick(['x', '}', ',', ' 1', '{}', ']', ' ', '\0'])),
          ])
        case 22: {
          const spot = random(bytes.length)
          return Buffer.concat([
            bytes.subarray(0, spot),
            Buffer.of(random(256)),
            bytes.subarray(spot + random(2)),
          ])
        }
        default:
          return Buffer.from(
            pick([
              '',
              'null',
              '[]',
              '1',
              '"s"',
              '{}',
              ' ',
              '{',
              '[{}]',
              '{"auction":1}',
              '{,}',
              `\ufeff${record}`,
              `${record}${record}`,
            ]),
          )
      }
      return Buffer.from(
        open + entries.map(([key, value]) => key + colon + value).join(separator) + close,
      )
    },
  }
}

/** Texts of values that are near an edge of some type, sound and not. */
export const EDGE_VALUES: readonly string[] = [
  ...NUMBERS,
  ...NUMBERS_BAD,
  ...[...STRINGS, ...STRINGS_BAD, ...TIMES, ...NUMBERS].map((text) => `"${text}"`),
  ...NESTED,
  ...Array.from({ length: 20 }, (_, digits) => '1234567890'.repeat(2).slice(0, digits + 1)),
  ...Array.from({ length: 18 }, (_, digits) => `0.${'1234567890'.repeat(2).slice(0, digits + 1)}`),
  ...Array.from({ length: 18 }, (_, digits) => `${'9'.repeat(digits + 1)}.5`),
  ...everyCharacter('"2026-01-01 00:00:00.000"'),
  ...everyCharacter('"2026-01-01 19:59:59.999"'),
  ...everyCharacter('"2026-01-01 23:00:00.000"'),
  ...everyCharacter('"2026-01-01 19:59:59Z"'),
]

/** Each character of `text` changed to each of some others. */
function everyCharacter(text: string): string[] {
  return [...text].flatMap((_, at) =>
    [...'0123456789/:;- TZ".+e'].map((other) => text.slice(0, at) + other + text.slice(at + 1)),
  )
}
