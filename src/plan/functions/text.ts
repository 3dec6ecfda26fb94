/** Functions of texts and binaries. Positions count characters from 1. */
import { type DataType, types, withNullability } from '../../data/types.ts'
import { isText } from './coercion.ts'
import {
  any,
  bigint,
  bytes,
  define,
  int,
  optional,
  type Parameter,
  repeated,
  sameLengthText,
  string,
  text,
  textOrBytes,
} from './parameters.ts'
import type { FunctionSignature } from './signature.ts'
import { typeText } from './type-text.ts'

const NULLABLE = { nullable: 'always' } as const

export const textFunctions: readonly FunctionSignature[] = [
  define('UPPER', 'In capital letters.', [text], sameLengthText),
  define('LOWER', 'In small letters.', [text], sameLengthText),
  define('INITCAP', 'Each word with a capital letter first, else small letters.', [text], string),
  define('CHAR_LENGTH', 'The number of characters.', [text], types.int, {
    aliases: ['CHARACTER_LENGTH'],
  }),
  define('OCTET_LENGTH', 'The number of bytes.', [textOrBytes], types.int),
  define(
    'TRIM',
    "Without characters at the ends: TRIM('BOTH' | 'LEADING' | 'TRAILING', characters, text).",
    [text, text, text],
    (args) => sameLengthText(args.slice(2)),
  ),
  define(
    'BTRIM',
    'Without spaces, or the characters given, at both ends.',
    [text, optional(text)],
    string,
  ),
  define(
    'LTRIM',
    'Without spaces, or the characters given, at the start.',
    [text, optional(text)],
    string,
  ),
  define(
    'RTRIM',
    'Without spaces, or the characters given, at the end.',
    [text, optional(text)],
    string,
  ),
  define(
    'SUBSTRING',
    'From a position (negative: from the end) on, at most n characters.',
    [textOrBytes, int, optional(int)],
    substring,
    {
      aliases: ['SUBSTR'],
    },
  ),
  define('LEFT', 'The first n characters.', [text, int], string),
  define('RIGHT', 'The last n characters.', [text, int], string),
  define(
    'OVERLAY',
    'With n characters from a position on replaced by another text.',
    [text, text, int, optional(int)],
    string,
  ),
  define(
    'REPLACE',
    'With every occurrence of the second text replaced by the third.',
    [text, text, text],
    string,
  ),
  define(
    'TRANSLATE',
    'With each character of the second text replaced by the one at its place in the third.',
    [text, text, text],
    string,
    {
      aliases: ['TRANSLATE3'],
      nullable: 'always',
    },
  ),
  define(
    'POSITION',
    'Where the first text occurs in the second, from a position (1) on; 0 if it does not.',
    [text, text, optional(int)],
    types.int,
  ),
  define(
    'LOCATE',
    'Where the first text occurs in the second, from a position (1) on; 0 if it does not.',
    [text, text, optional(int)],
    types.int,
  ),
  define(
    'INSTR',
    'Where the second text occurs in the first, from a position (1) on, the nth time (1); 0 if it does not.',
    [text, text, optional(int), optional(int)],
    types.int,
  ),
  define(
    'LPAD',
    'Filled at the start to n characters with a text, or cut.',
    [text, int, text],
    string,
    NULLABLE,
  ),
  define(
    'RPAD',
    'Filled at the end to n characters with a text, or cut.',
    [text, int, text],
    string,
    NULLABLE,
  ),
  define('REPEAT', 'The text n times.', [text, int], string),
  define('REVERSE', 'The characters from last to first.', [text], string),
  define(
    'SPLIT_INDEX',
    'Part n (from 0) of a text split by another; NULL if there is none.',
    [text, splitter(), int],
    string,
    NULLABLE,
  ),
  define(
    'CONCAT_WS',
    'Texts that are not NULL, with the first between them.',
    [text, repeated(text)],
    string,
    {
      nullable: 'arguments',
    },
  ),
  define('ASCII', 'The code of the first byte; 0 of an empty text.', [text], types.int),
  define('CHR', 'The character with a code, modulo 256.', [bigint], string),
  define(
    'STARTSWITH',
    'Whether the first begins with the second.',
    [textOrBytes, textOrBytes],
    alike('STARTSWITH'),
  ),
  define(
    'ENDSWITH',
    'Whether the first ends with the second.',
    [textOrBytes, textOrBytes],
    alike('ENDSWITH'),
  ),
  define(
    'ELT',
    'The argument at a place; NULL if there is none.',
    [int, any, repeated(any)],
    chosen,
    NULLABLE,
  ),
  define(
    'PRINTF',
    "Text by a format of Java's: %s, %d, %08d, %.2f ...; NULL if it does not fit.",
    [text, repeated(any)],
    string,
    NULLABLE,
  ),
  define(
    'STR_TO_MAP',
    'A MAP from text: entries split by "," and keys by "=" unless told.',
    [text, optional(text), optional(text)],
    stringMap,
    {
      nullable: 'arguments',
    },
  ),
  define(
    'REGEXP',
    'Whether a regular expression fits some part of the text.',
    [text, text],
    types.boolean,
    {
      aliases: ['RLIKE'],
    },
  ),
  define(
    'REGEXP_REPLACE',
    'With every part that a regular expression fits replaced.',
    [text, text, text],
    string,
    NULLABLE,
  ),
  define(
    'REGEXP_EXTRACT',
    'The part that a regular expression, or its group n, fits; NULL if none.',
    [text, text, optional(int)],
    string,
    NULLABLE,
  ),
  define(
    'REGEXP_EXTRACT_ALL',
    'All parts that a regular expression, or its group n (1), fits.',
    [text, text, optional(int)],
    { kind: 'array', element: string, nullable: true },
    NULLABLE,
  ),
  define('REGEXP_COUNT', 'How often a regular expression fits.', [text, text], types.int, NULLABLE),
  define(
    'REGEXP_INSTR',
    'Where a regular expression first fits; 0 if it does not.',
    [text, text],
    types.int,
    NULLABLE,
  ),
  define(
    'REGEXP_SUBSTR',
    'The first part that a regular expression fits; NULL if none.',
    [text, text],
    string,
    NULLABLE,
  ),
  define(
    'PARSE_URL',
    'A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY, USERINFO.',
    [text, text, optional(text)],
    string,
    NULLABLE,
  ),
  define('URL_ENCODE', 'As application/x-www-form-urlencoded.', [text], string, NULLABLE),
  define(
    'URL_DECODE',
    'Back from application/x-www-form-urlencoded; NULL if it is none.',
    [text],
    string,
    NULLABLE,
  ),
  define('FROM_BASE64', 'The text that base64 tells.', [text], string),
  define('TO_BASE64', 'A text in base64.', [text], string),
  define(
    'UUID',
    'A random UUID.',
    [],
    { kind: 'char', length: 36, nullable: false },
    {
      nullable: 'never',
    },
  ),
  define('IS_ALPHA', 'Whether all characters are letters.', [text], types.boolean, {
    nullable: 'never',
  }),
  define('IS_DECIMAL', 'Whether the text is a number.', [text], types.boolean, {
    nullable: 'never',
  }),
  define('IS_DIGIT', 'Whether all characters are digits.', [text], types.boolean, {
    nullable: 'never',
  }),
  define('DECODE', 'Bytes as text in a character set.', [bytes, text], string, NULLABLE),
  define('ENCODE', 'Text as bytes in a character set.', [text, text], types.bytes, NULLABLE),
  ...hashes(),
]

function hashes(): FunctionSignature[] {
  const named = ['MD5', 'SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512']
  return [
    ...named.map((name) =>
      define(name, `The ${name} hash, in hexadecimal digits.`, [textOrBytes], string),
    ),
    define('SHA2', 'The SHA-2 hash of n bits, in hexadecimal digits.', [textOrBytes, int], string),
  ]
}

function substring(args: readonly DataType[]): DataType {
  return isText(args[0]!) ? string : types.bytes
}

/** A text, or the code of one character. */
function splitter(): Parameter {
  return {
    expected: 'a text or a character code',
    accept: (type) => text.accept(type) ?? int.accept(type),
  }
}

function alike(name: string): (args: readonly DataType[]) => DataType | string {
  return ([a, b]) =>
    isText(a!) === isText(b!)
      ? types.boolean
      : `${name} takes two texts or two binaries, not ${typeText(a!)} and ${typeText(b!)}`
}

function chosen(args: readonly DataType[]): DataType | string {
  const values = args.slice(1)
  if (values.every((type) => isText(type) || type.kind === 'null')) {
    const length = Math.max(...values.map((type) => (isText(type) ? type.length : 0)))
    return { kind: 'varchar', length, nullable: true }
  }
  const isBytes = ({ kind }: DataType) => kind === 'binary' || kind === 'varbinary'
  if (values.every(isBytes)) return withNullability(types.bytes, true)
  return `ELT chooses among texts or among binaries, not ${values.map(typeText).join(', ')}`
}

function stringMap(): DataType {
  return { kind: 'map', key: string, value: string, nullable: true }
}
