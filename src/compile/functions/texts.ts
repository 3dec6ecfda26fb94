/** Functions of texts. Characters are code points. */
import { createHash } from 'node:crypto'
import { type RowFunction, seesNulls, shaped, strict } from '../row-function.ts'
import type { Value } from '../value.ts'
import { printf } from './printf.ts'

type Args = readonly Value[]
const text = (args: Args, index: number): string => args[index] as string
const number = (args: Args, index: number, whenAbsent = 0): number =>
  args[index] === undefined ? whenAbsent : Number(args[index])

export const textFunctions: Readonly<Record<string, RowFunction>> = {
  UPPER: strict((args) => text(args, 0).toUpperCase()),
  LOWER: strict((args) => text(args, 0).toLowerCase()),
  INITCAP: strict((args) =>
    text(args, 0)
      .toLowerCase()
      .replace(/[a-z0-9]+/g, (word) => word[0]!.toUpperCase() + word.slice(1)),
  ),
  CHAR_LENGTH: strict((args) => BigInt(pointsIn(text(args, 0)))),
  OCTET_LENGTH: strict(([value]) => BigInt(Buffer.from(value as string).length)),
  TRIM: strict(([side, gone, value]) =>
    trimmed([...(value as string)], [...(gone as string)], side !== 'TRAILING', side !== 'LEADING'),
  ),
  BTRIM: trimming(true, true),
  LTRIM: trimming(true, false),
  RTRIM: trimming(false, true),
  SUBSTRING: strict(substring),
  LEFT: strict((args) =>
    points(args, 0)
      .slice(0, Math.max(0, number(args, 1)))
      .join(''),
  ),
  RIGHT: strict((args) => {
    const all = points(args, 0)
    return all.slice(Math.max(0, all.length - Math.max(0, number(args, 1)))).join('')
  }),
  OVERLAY: strict(overlay),
  REPLACE: strict((args) =>
    text(args, 1) === ''
      ? text(args, 0)
      : text(args, 0).replaceAll(text(args, 1), () => text(args, 2)),
  ),
  TRANSLATE: seesNulls(() => translate),
  POSITION: strict((args) => located(text(args, 1), text(args, 0), number(args, 2, 1))),
  LOCATE: strict((args) => located(text(args, 1), text(args, 0), number(args, 2, 1))),
  INSTR: strict((args) =>
    instr(text(args, 0), text(args, 1), number(args, 2, 1), number(args, 3, 1)),
  ),
  LPAD: strict((args) => padded(args, (pad, base) => pad + base)),
  RPAD: strict((args) => padded(args, (pad, base) => base + pad)),
  REPEAT: strict((args) => text(args, 0).repeat(Math.max(0, number(args, 1)))),
  REVERSE: strict((args) => points(args, 0).reverse().join('')),
  SPLIT_INDEX: strict(splitIndex),
  CONCAT_WS: seesNulls(
    () =>
      ([separator, ...parts]) =>
        separator === null ? null : parts.filter((part) => part !== null).join(separator as string),
  ),
  ASCII: strict((args) => BigInt(new Int8Array(Buffer.from(text(args, 0)))[0] ?? 0)),
  CHR: strict(([code]) =>
    (code as bigint) < 0n ? '' : String.fromCharCode(Number((code as bigint) & 255n)),
  ),
  STARTSWITH: strict(([a, b]) => begins(a!, b!)),
  ENDSWITH: strict(([a, b]) => ends(a!, b!)),
  ELT: seesNulls(
    () =>
      ([index, ...values]) =>
        index === null ? null : (values[Number(index) - 1] ?? null),
  ),
  PRINTF: seesNulls(
    ({ args }) =>
      ([format, ...values]) =>
        format === null ? null : printf(format as string, values, args.slice(1)),
  ),
  STR_TO_MAP: strict((args) => {
    const [entry, key] = [text(args, 1) ?? ',', text(args, 2) ?? '=']
    return text(args, 0)
      .split(entry)
      .map((part) => {
        const at = part.indexOf(key)
        return at < 0 ? [part, null] : [part.slice(0, at), part.slice(at + key.length)]
      })
  }),
  PARSE_URL: strict((args) => urlPart(text(args, 0), text(args, 1), args[2] as string | undefined)),
  URL_ENCODE: strict((args) =>
    encodeURIComponent(text(args, 0))
      .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%20', '+'),
  ),
  URL_DECODE: strict((args) => decodedUrl(text(args, 0))),
  FROM_BASE64: strict((args) => Buffer.from(text(args, 0), 'base64').toString()),
  TO_BASE64: strict((args) => Buffer.from(text(args, 0)).toString('base64')),
  UUID: shaped(
    ({ random }) =>
      () =>
        uuid(random),
  ),
  IS_ALPHA: seesNulls(
    () =>
      ([value]) =>
        value !== null && /^\p{L}+$/u.test(value as string),
  ),
  IS_DIGIT: seesNulls(
    () =>
      ([value]) =>
        value !== null && /^\p{Nd}+$/u.test(value as string),
  ),
  IS_DECIMAL: seesNulls(
    () =>
      ([value]) =>
        value !== null &&
        /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?\s*$/.test(value as string),
  ),
  DECODE: strict(([bytes, charset]) => decoded(bytes as Uint8Array, charset as string)),
  ENCODE: strict(([value, charset]) => encoded(value as string, charset as string)),
  ...Object.fromEntries(
    ['MD5', 'SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512'].map((name) => [
      name,
      strict(([value]) => hash(name.toLowerCase(), value!)),
    ]),
  ),
  SHA2: strict(([value, bits]) => hash(`sha${bits}`, value!)),
}

function points(args: Args, index: number): string[] {
  return [...text(args, index)]
}

/** Without any of the characters of the second argument (a space) at the ends. */
function trimming(start: boolean, end: boolean): RowFunction {
  return strict((args) =>
    trimmed(points(args, 0), args[1] === undefined ? [' '] : points(args, 1), start, end),
  )
}

function trimmed(
  all: readonly string[],
  gone: readonly string[],
  start: boolean,
  end: boolean,
): string {
  let from = 0
  let to = all.length
  while (start && from < to && gone.includes(all[from]!)) from++
  while (end && to > from && gone.includes(all[to - 1]!)) to--
  return all.slice(from, to).join('')
}

function substring(args: Args): Value {
  const [value] = args
  const all = typeof value === 'string' ? [...value] : [...(value as Uint8Array)]
  const [start, length] = [number(args, 1), number(args, 2, all.length)]
  if (length < 0) return null
  const from = start > 0 ? start - 1 : start < 0 ? all.length + start : 0
  const part = from < 0 ? [] : all.slice(from, from + length)
  return typeof value === 'string' ? part.join('') : Uint8Array.from(part as number[])
}

function overlay(args: Args): string {
  const [all, by] = [points(args, 0), text(args, 1)]
  const start = number(args, 2)
  const length = number(args, 3, [...by].length)
  if (start <= 0 || start > all.length) return text(args, 0)
  const head = all.slice(0, start - 1).join('')
  if (length < 0 || start + length > all.length) return head + by
  return head + by + all.slice(start - 1 + length).join('')
}

function translate([value, from, to]: Args): Value {
  if (value === null) return null
  if (from === null || from === '') return value!
  const [sources, targets] = [[...(from as string)], [...((to as string) ?? '')]]
  return [...(value as string)]
    .map((point) => {
      const at = sources.indexOf(point)
      return at < 0 ? point : (targets[at] ?? '')
    })
    .join('')
}

/** From 1, counted in characters; 0 if nowhere. */
function located(value: string, part: string, from: number): bigint {
  if (from <= 0) return 0n
  const skipped = [...value].slice(0, from - 1).join('').length
  const at = value.indexOf(part, skipped)
  return at < 0 || from - 1 > [...value].length ? 0n : BigInt([...value.slice(0, at)].length + 1)
}

function instr(value: string, part: string, start: number, nth: number): bigint {
  const [all, sought] = [[...value], [...part]]
  const isAt = (at: number) => sought.every((point, index) => all[at + index] === point)
  let left = nth
  const step = start < 0 ? -1 : 1
  for (
    let at = start < 0 ? all.length + start : start - 1;
    at >= 0 && at < all.length;
    at += step
  ) {
    if (isAt(at) && --left === 0) return BigInt(at + 1)
  }
  return 0n
}

function padded(args: Args, join: (pad: string, base: string) => string): Value {
  const [base, length, pad] = [points(args, 0), number(args, 1), points(args, 2)]
  if (length < 0 || pad.length === 0) return null
  if (base.length >= length) return base.slice(0, length).join('')
  const missing = length - base.length
  const whole = pad.join('').repeat(Math.floor(missing / pad.length))
  return join(whole + pad.slice(0, missing % pad.length).join(''), base.join(''))
}

function splitIndex([value, separator, index]: Args): Value {
  const by = typeof separator === 'bigint' ? String.fromCodePoint(Number(separator)) : separator
  if ((index as bigint) < 0n || value === '') return null
  return (value as string).split(by as string)[Number(index)] ?? null
}

function begins(a: Value, b: Value): boolean {
  if (typeof a === 'string') return a.startsWith(b as string)
  const [all, part] = [Buffer.from(a as Uint8Array), Buffer.from(b as Uint8Array)]
  return all.subarray(0, part.length).equals(part)
}

function ends(a: Value, b: Value): boolean {
  if (typeof a === 'string') return a.endsWith(b as string)
  const [all, part] = [Buffer.from(a as Uint8Array), Buffer.from(b as Uint8Array)]
  return part.length <= all.length && all.subarray(all.length - part.length).equals(part)
}

function urlPart(value: string, part: string, key: string | undefined): string | null {
  if (!URL.canParse(value)) return null
  const url = new URL(value)
  const [path, query] = [url.pathname, url.search.slice(1)]
  if (key !== undefined) return part === 'QUERY' ? url.searchParams.get(key) : null
  const user =
    url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${url.password}`}`
  const parts: Readonly<Record<string, string>> = {
    HOST: url.hostname,
    PATH: path,
    QUERY: query,
    REF: url.hash.slice(1),
    PROTOCOL: url.protocol.slice(0, -1),
    FILE: query === '' ? path : `${path}?${query}`,
    AUTHORITY: user === '' ? url.host : `${user}@${url.host}`,
    USERINFO: user,
  }
  return parts[part] || null
}

function decodedUrl(value: string): string | null {
  try {
    return decodeURIComponent(value.replaceAll('+', ' '))
  } catch {
    return null
  }
}

function uuid(random: () => number): string {
  const bytes = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256)))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const NODE_CHARSETS: Readonly<Record<string, BufferEncoding>> = {
  'UTF-8': 'utf8',
  'UTF-16LE': 'utf16le',
  'ISO-8859-1': 'latin1',
  'US-ASCII': 'ascii',
}

function decoded(bytes: Uint8Array, charset: string): string | null {
  const name = charset.toUpperCase()
  if (name === 'UTF-16BE') return Buffer.from(bytes).swap16().toString('utf16le')
  const encoding = NODE_CHARSETS[name]
  return encoding === undefined ? null : Buffer.from(bytes).toString(encoding)
}

function encoded(value: string, charset: string): Uint8Array | null {
  const name = charset.toUpperCase()
  if (name === 'UTF-16BE') return new Uint8Array(Buffer.from(value, 'utf16le').swap16())
  const encoding = NODE_CHARSETS[name]
  return encoding === undefined ? null : new Uint8Array(Buffer.from(value, encoding))
}

function hash(name: string, value: Value): string | null {
  const known = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']
  if (!known.includes(name)) return null
  return createHash(name)
    .update(value as string | Uint8Array)
    .digest('hex')
}

/** Code points: a pair of surrogates is one. */
function pointsIn(text: string): number {
  let points = text.length
  for (let at = 1; at < text.length; at++) {
    const isSecond = (text.charCodeAt(at) & 0xfc00) === 0xdc00
    if (isSecond && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) points--
  }
  return points
}
