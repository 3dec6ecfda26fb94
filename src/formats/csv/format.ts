/**
 * CSV records as a format, without a header; names of options are Flink's.
 *
 * Stated differences from Flink: a value that does not fit its column makes the record dead, whatever 'csv.ignore-parse-errors' says; an empty
 * field without quotes is NULL unless the column is a STRING; a line break within quotes can't be read from files, whose records are lines.
 */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { Format, FormatOption, FormatOptions } from '../format.ts'
import { decodeRowByRow, encodeRowByRow } from '../row-values.ts'
import { hasText, TextRefused, textValue, valueText } from '../text-cells.ts'
import { type CsvField, type CsvShape, csvField, csvFields } from './fields.ts'

const option = (name: string, summary: string, fallback?: string): FormatOption => ({
  name: `csv.${name}`,
  kind: 'string',
  required: false,
  summary,
  ...(fallback === undefined ? {} : { fallback }),
})

export const csv: Format = {
  name: 'csv',
  summary: 'One record of comma-separated fields, in the order of the columns',
  isText: true,
  fileEnding: 'csv',
  options: [
    option('field-delimiter', "One character between fields; '\\t' is a tab", ','),
    option('quote-character', 'The character around fields that need it', '"'),
    {
      ...option('disable-quote-character', 'Fields never stand in quotes', 'false'),
      kind: 'boolean',
    },
    option('escape-character', 'Makes the character behind it a plain one'),
    {
      ...option('allow-comments', 'Records that begin with # are passed over', 'false'),
      kind: 'boolean',
    },
    option('null-literal', 'The text that stands for NULL'),
    option('array-element-delimiter', 'Between the elements of an ARRAY', ';'),
    {
      ...option(
        'ignore-parse-errors',
        'Accepted: records that do not parse go to $dead either way',
        'false',
      ),
      kind: 'boolean',
    },
  ],
  async openDecoder({ memory, schema, physical, options, table }) {
    const shape = shapeOf(table, options)
    const fields = physical.map((field) => fieldReader(field.name, field.type, options))
    const places = schema.map(({ name }) => physical.findIndex((field) => field.name === name))
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const rowOf = (record: Uint8Array): readonly CellValue[] | string => {
      const read = rowValues(utf8, record, shape, fields)
      return typeof read === 'string' ? read : places.map((place) => read[place]!)
    }
    return {
      prepare: () => undefined,
      decode: (values, count) => decodeRowByRow(memory, schema, values, count, rowOf),
      dispose: () => undefined,
    }
  },
  async openEncoder({ memory, schema, options, table }) {
    const shape = shapeOf(table, options)
    const texts = schema.map((field) => fieldWriter(field.name, field.type, options))
    return encodeRowByRow(memory, (out, values) => {
      const fields = values.map((value, index) => csvField(texts[index]!(value), shape))
      out.raw(Buffer.from(fields.join(shape.delimiter)))
    })
  },
}

function rowValues(
  utf8: TextDecoder,
  record: Uint8Array,
  shape: CsvShape & { readonly comments: boolean },
  readers: readonly ((field: CsvField) => CellValue)[],
): readonly CellValue[] | string {
  let text: string
  try {
    text = utf8.decode(record)
  } catch {
    return 'not valid UTF-8'
  }
  if (shape.comments && text.startsWith('#')) return 'a comment'
  const fields = csvFields(text, shape)
  if (typeof fields === 'string') return fields
  if (fields.length !== readers.length)
    return `${fields.length} fields, and the table has ${readers.length} columns`
  try {
    return readers.map((read, index) => read(fields[index]!))
  } catch (error) {
    if (error instanceof TextRefused) return error.message
    throw error
  }
}

function fieldReader(
  name: string,
  type: DataType,
  options: FormatOptions,
): (field: CsvField) => CellValue {
  const one = elementOf(name, type)
  const nullText = options['csv.null-literal']
  const delimiter = options['csv.array-element-delimiter'] ?? ';'
  const isText = type.kind === 'char' || type.kind === 'varchar'
  const value = (of: DataType, text: string): CellValue => {
    try {
      return textValue(of, text)
    } catch (error) {
      if (error instanceof TextRefused) throw new TextRefused(`column ${name}: ${error.message}`)
      throw error
    }
  }
  return ({ text, isQuoted }) => {
    if (text === nullText || (text === '' && !isQuoted && !isText)) return null
    if (type.kind !== 'array') return value(type, text)
    if (text === '') return []
    return text.split(delimiter).map((each) => (each === nullText ? null : value(one, each)))
  }
}

function fieldWriter(
  name: string,
  type: DataType,
  options: FormatOptions,
): (value: CellValue) => string {
  const one = elementOf(name, type)
  const nullText = options['csv.null-literal'] ?? ''
  const delimiter = options['csv.array-element-delimiter'] ?? ';'
  const text = (value: CellValue): string => (value === null ? nullText : valueText(one, value))
  return (value) => {
    if (value === null || type.kind !== 'array') return text(value)
    return (value as readonly CellValue[]).map(text).join(delimiter)
  }
}

/** @throws FORMAT_TYPE_UNSUPPORTED */
function elementOf(name: string, type: DataType): DataType {
  const one = type.kind === 'array' ? type.element : type
  if (hasText(one)) return one
  throw new MillraceError('FORMAT_TYPE_UNSUPPORTED', {
    message: `column ${name}: CSV has no ${one.kind.replaceAll('_', ' ').toUpperCase()}`,
    hint: 'write JSON or Avro, or select its parts as columns of their own',
    facts: { column: name },
  })
}

/** @throws OPTION_INVALID */
function shapeOf(table: string, options: FormatOptions): CsvShape & { readonly comments: boolean } {
  const one = (name: string, fallback: string): string => {
    const text = (options[`csv.${name}`] ?? fallback).replace(/^\\t$/, '\t')
    if (text.length <= 1) return text
    throw new MillraceError('OPTION_INVALID', {
      message: `table ${table}: 'csv.${name}' is ${JSON.stringify(text)}, not one character`,
      hint: "write one character; '\\t' is a tab",
      facts: { table, option: `csv.${name}` },
    })
  }
  return {
    delimiter: one('field-delimiter', ','),
    quote: options['csv.disable-quote-character'] === 'true' ? '' : one('quote-character', '"'),
    escaping: one('escape-character', ''),
    comments: options['csv.allow-comments'] === 'true',
  }
}
