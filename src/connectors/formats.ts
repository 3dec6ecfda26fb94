/**
 * The formats that records can have, and how a connector offers and opens them.
 *
 *   'format' = 'json', 'json.timestamp-format.standard' = ...               role 'format'
 *   'value.format' = 'json', 'value.json.timestamp-format.standard' = ...   role 'value.format', the same thing
 *   'key.format' = 'json', 'key.json.timestamp-format.standard' = ...       role 'key.format'
 */
import type { LinearMemory } from '../data/memory.ts'
import type { Schema } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { avro, avroConfluent, avroGlue } from '../formats/avro/format.ts'
import { csv } from '../formats/csv/format.ts'
import { debeziumAvroConfluent } from '../formats/debezium/avro.ts'
import { debeziumJson } from '../formats/debezium/json.ts'
import type { Format, FormatOptions, RecordDecoder, RecordEncoder } from '../formats/format.ts'
import { jsonConfluent } from '../formats/json/confluent.ts'
import { json } from '../formats/json/format.ts'
import { protobuf, protobufConfluent } from '../formats/protobuf/format.ts'
import { raw } from '../formats/raw/format.ts'
import type { Ports } from '../ports/ports.ts'
import { openSchemas } from '../registry/open-source.ts'
import type { Connector, ConnectorOption } from './contract/connector.ts'
import type { ChangelogMode } from './contract/sink.ts'

export const FORMATS: readonly Format[] = [
  json,
  jsonConfluent,
  csv,
  raw,
  avro,
  avroConfluent,
  avroGlue,
  protobuf,
  protobufConfluent,
  debeziumJson,
  debeziumAvroConfluent,
]

export type FormatRole = 'format' | 'value.format' | 'key.format'

export interface FormatOffer {
  readonly required?: boolean
  /** The format where none is named. */
  readonly fallback?: string
  /** Only formats whose records are lines. */
  readonly textOnly?: boolean
}

type Options = Readonly<Record<string, string>>

/** The row kinds that the values' format stands for. */
export function formatMode(options: Options): ChangelogMode {
  return valueFormatOf(options)?.mode ?? 'append'
}

const FORMAT_METADATA = 'value.'

/** The metadata of the values' format, as a connector offers it. */
export function formatMetadata(options: Options): Connector['metadata'] {
  return Object.fromEntries(
    Object.entries(valueFormatOf(options)?.metadata ?? {}).map(([key, type]) => [
      `${FORMAT_METADATA}${key}`,
      { type, writable: false },
    ]),
  )
}

/** Of a connector's metadata key: the format's own; undefined if it is not the format's. */
export function formatMetadataKey(key: string | undefined): string | undefined {
  return key?.startsWith(FORMAT_METADATA) ? key.slice(FORMAT_METADATA.length) : undefined
}

function valueFormatOf(options: Options): Format | undefined {
  const name = options['value.format'] ?? options.format
  return FORMATS.find((format) => format.name === name)
}

/** The options of one role: the choice, and those of every format that can be chosen. */
export function formatOptions(role: FormatRole, offer: FormatOffer = {}): ConnectorOption[] {
  const offered = FORMATS.filter(({ isText }) => isText || offer.textOnly !== true)
  const of = role === 'key.format' ? "key's" : "value's"
  const choice: ConnectorOption = {
    name: role,
    kind: 'enum',
    values: offered.map(({ name }) => name),
    required: offer.required ?? false,
    summary: `The ${of} format`,
    ...(offer.fallback === undefined ? {} : { fallback: offer.fallback }),
  }
  const prefix = prefixOf(role)
  const own = offered.flatMap(({ options }) =>
    // A format's own options are needed, and have defaults, only where it is chosen: `openFormat` sees to both.
    options.map(({ fallback: _, ...option }) => ({
      ...option,
      name: `${prefix}${option.name}`,
      required: false,
    })),
  )
  return [choice, ...own]
}

/** A format with its options, as a table chose it. */
export interface ChosenFormat {
  readonly format: Format
  /** @param metadataKeys by column of `schema`: the format's metadata that it is, without 'value.' */
  openDecoder(
    memory: LinearMemory,
    schema: Schema,
    physical: Schema,
    metadataKeys?: readonly (string | undefined)[],
  ): Promise<RecordDecoder>
  openEncoder(memory: LinearMemory, schema: Schema): Promise<RecordEncoder>
  /** Once per run, before any row is written. */
  prepareSink(schema: Schema): Promise<void>
}

export interface FormatRequest {
  readonly table: string
  readonly options: Options
  readonly ports: Ports
  readonly dataDirectory: string
}

/**
 * The format of a table's values: 'value.format', or 'format', or `fallback`.
 * @param subject of the registry, unless an option names another
 * @throws OPTION_INVALID if the format is not known, or lacks an option that it needs
 */
export function openValueFormat(
  request: FormatRequest,
  subject: string,
  fallback?: string,
): ChosenFormat {
  const role = request.options['value.format'] === undefined ? 'format' : 'value.format'
  const name = request.options[role] ?? fallback
  if (name === undefined) throw noFormat(request.table)
  return openNamed(request, role, name, subject)
}

/** The format of keys; undefined if the table names none. @throws OPTION_INVALID */
export function openKeyFormat(request: FormatRequest, subject: string): ChosenFormat | undefined {
  const name = request.options['key.format']
  return name === undefined ? undefined : openNamed(request, 'key.format', name, subject)
}

function openNamed(
  request: FormatRequest,
  role: FormatRole,
  name: string,
  subject: string,
): ChosenFormat {
  const { table } = request
  const format = FORMATS.find((each) => each.name === name)
  if (format === undefined) throw unknownFormat(table, role, name)
  const options = ownOptions(format, request, role)
  const { ports, dataDirectory } = request
  // Opened when it is used: to name a format asks nothing of the outside.
  const shared = () => ({
    table,
    subject,
    options,
    schemas: openSchemas(format.name, { table, options, ports, dataDirectory }),
  })
  return {
    format,
    openDecoder: async (memory, schema, physical, metadataKeys = []) =>
      format.openDecoder({ ...shared(), memory, schema, physical, metadataKeys }),
    openEncoder: async (memory, schema) => format.openEncoder({ ...shared(), memory, schema }),
    prepareSink: async (schema) => format.prepareSink?.({ ...shared(), schema }),
  }
}

function ownOptions(
  format: Format,
  { options, table }: FormatRequest,
  role: FormatRole,
): FormatOptions {
  const own: Record<string, string> = {}
  const prefix = prefixOf(role)
  for (const { name, fallback, required, isPrefix } of format.options) {
    if (isPrefix === true) {
      for (const [key, value] of Object.entries(options))
        if (key.startsWith(prefix + name)) own[key.slice(prefix.length)] = value
      continue
    }
    const value = options[prefix + name] ?? fallback
    if (value !== undefined) own[name] = value
    else if (required) throw optionMissing(table, format, prefix + name)
  }
  return own
}

function prefixOf(role: FormatRole): string {
  return role.slice(0, -'format'.length)
}

function unknownFormat(table: string, role: FormatRole, name: string): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: `table ${table}: there is no format '${name}'`,
    hint: `'${role}' is one of ${FORMATS.map((each) => each.name).join(', ')}`,
    facts: { table, option: role, value: name },
  })
}

function noFormat(table: string): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: `table ${table}: no 'format' is named`,
    hint: `'format' is one of ${FORMATS.map((each) => each.name).join(', ')}`,
    facts: { table, option: 'format' },
  })
}

function optionMissing(table: string, format: Format, name: string): MillraceError {
  return new MillraceError('OPTION_INVALID', {
    message: `table ${table}: the format '${format.name}' needs '${name}'`,
    hint: format.options.find((option) => name.endsWith(option.name))?.summary ?? '',
    facts: { table, option: name },
  })
}
