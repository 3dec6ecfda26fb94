/** JSON records as a format: `WITH ('format' = 'json')`. Names of options are Flink's. */
import type { NullKey } from '../../kernels/json-tree.ts'
import type { Format, FormatOption, FormatOptions } from '../format.ts'
import { createJsonDecoder } from './decode.ts'
import { createJsonEncoder } from './encode.ts'

export const json: Format = {
  name: 'json',
  summary: 'One JSON object a record',
  isText: true,
  fileEnding: 'json',
  options: [
    {
      name: 'json.timestamp-format.standard',
      kind: 'enum',
      values: ['SQL', 'ISO-8601'],
      required: false,
      fallback: 'SQL',
      summary: "How times are written: '2026-01-31 23:59:59.5' or '2026-01-31T23:59:59.5'",
    },
    {
      name: 'json.fail-on-missing-field',
      kind: 'enum',
      values: ['false'],
      required: false,
      summary: 'Accepted: a missing field is NULL, unless its column is NOT NULL',
    },
    {
      name: 'json.ignore-parse-errors',
      kind: 'boolean',
      required: false,
      summary: 'Accepted: records that do not parse go to $dead either way',
    },
    ...nullKeyOptions('json'),
  ],
  async openDecoder({ memory, schema, options }) {
    const decoder = createJsonDecoder({ memory, schema, timestampFormat: timesOf(options) })
    return {
      prepare: () => undefined,
      decode: (values, count) => ({ ...decoder.decode(values, count), kinds: 0, records: 0 }),
      dispose: () => decoder.dispose(),
    }
  },
  openEncoder: async ({ memory, schema, options }) =>
    createJsonEncoder({
      memory,
      schema,
      timestampFormat: timesOf(options),
      nullKey: nullKeyOf(options, 'json'),
    }),
}

/** @param format whose option it is */
export function timesOf(options: FormatOptions, format = 'json'): 'SQL' | 'ISO-8601' {
  return options[`${format}.timestamp-format.standard`] === 'ISO-8601' ? 'ISO-8601' : 'SQL'
}

/** Of a MAP that is written: JSON has no key that is NULL. @param format whose options they are */
export function nullKeyOptions(format: string): readonly FormatOption[] {
  return [
    {
      name: `${format}.map-null-key.mode`,
      kind: 'enum',
      values: ['FAIL', 'DROP', 'LITERAL'],
      required: false,
      fallback: 'FAIL',
      summary: 'What becomes of a NULL key of a MAP that is written',
    },
    {
      name: `${format}.map-null-key.literal`,
      kind: 'string',
      required: false,
      fallback: 'null',
      summary: 'With LITERAL: the text that is written in its place',
    },
  ]
}

export function nullKeyOf(options: FormatOptions, format: string): NullKey {
  const mode = options[`${format}.map-null-key.mode`]
  if (mode === 'LITERAL') {
    return { mode, literal: options[`${format}.map-null-key.literal`] ?? 'null' }
  }
  return { mode: mode === 'DROP' ? mode : 'FAIL' }
}
