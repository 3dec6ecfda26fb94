/**
 * Which tables Millrace reads and writes: features by name, and what older protocol versions imply.
 *
 * @see Delta protocol, "Table Features", "Reader Version Requirements", "Writer Version Requirements"
 */
import { MillraceError } from '../../errors.ts'
import type { Metadata, Protocol } from './actions.ts'

const READER_FEATURES: ReadonlySet<string> = new Set(['timestampNtz', 'vacuumProtocolCheck'])
const WRITER_FEATURES: ReadonlySet<string> = new Set([
  ...READER_FEATURES,
  'appendOnly',
  'domainMetadata',
  'invariants',
])

/** The protocol of a table that Millrace makes. */
export function protocolFor(hasTimestampNtz: boolean): Protocol {
  const writerFeatures = ['appendOnly', 'domainMetadata', 'invariants']
  if (!hasTimestampNtz) return { minReaderVersion: 1, minWriterVersion: 7, writerFeatures }
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['timestampNtz'],
    writerFeatures: [...writerFeatures, 'timestampNtz'],
  }
}

/** @throws DELTA_FEATURE_UNSUPPORTED naming the features, if a reader must know one that Millrace does not */
export function checkReadable(table: string, protocol: Protocol, metadata: Metadata): void {
  const missing = new Set(
    protocol.minReaderVersion >= 3
      ? (protocol.readerFeatures ?? []).filter((feature) => !READER_FEATURES.has(feature))
      : [],
  )
  if (protocol.minReaderVersion > 3) missing.add(`reader version ${protocol.minReaderVersion}`)
  if (protocol.minReaderVersion === 2 && mapsColumns(metadata)) missing.add('columnMapping')
  if (missing.size > 0) throw unsupported(table, 'read', [...missing])
}

/** @throws DELTA_FEATURE_UNSUPPORTED as `checkReadable`, and for what a writer must keep: constraints, generated columns, ... */
export function checkWritable(table: string, protocol: Protocol, metadata: Metadata): void {
  checkReadable(table, protocol, metadata)
  const missing = unsupportedToWrite(protocol, metadata)
  if (missing.length > 0) throw unsupported(table, 'write', missing)
}

/** Features in the way of writing; what older writer versions bring counts only where the table uses it. */
export function unsupportedToWrite(protocol: Protocol, metadata: Metadata): readonly string[] {
  const { minWriterVersion: version } = protocol
  const missing = new Set<string>()
  const features = new Set(protocol.writerFeatures ?? [])
  if (version > 7) missing.add(`writer version ${version}`)
  const has = (feature: string, from: number) =>
    version >= 7 ? features.has(feature) : version >= from
  if (version === 7) {
    for (const feature of features) {
      if (!WRITER_FEATURES.has(feature) && !LATENT.has(feature)) missing.add(feature)
    }
  }
  if (has('invariants', 2) && /"delta\.invariants"/.test(metadata.schemaString))
    missing.add('invariants')
  const { configuration } = metadata
  if (has('checkConstraints', 3) && Object.keys(configuration).some(isConstraint)) {
    missing.add('checkConstraints')
  }
  if (has('changeDataFeed', 4) && configuration['delta.enableChangeDataFeed'] === 'true') {
    missing.add('changeDataFeed')
  }
  if (has('generatedColumns', 4) && /"delta\.generationExpression"/.test(metadata.schemaString)) {
    missing.add('generatedColumns')
  }
  if (has('columnMapping', 5) && mapsColumns(metadata)) missing.add('columnMapping')
  if (has('identityColumns', 6) && /"delta\.identity\./.test(metadata.schemaString)) {
    missing.add('identityColumns')
  }
  return [...missing]
}

/** Listed by many tables that do not use them: they bind a writer only where the metadata says so. */
const LATENT: ReadonlySet<string> = new Set([
  'checkConstraints',
  'changeDataFeed',
  'generatedColumns',
  'identityColumns',
  'columnMapping',
])

export function supportsDomains(protocol: Protocol): boolean {
  return (
    protocol.minWriterVersion >= 7 && protocol.writerFeatures?.includes('domainMetadata') === true
  )
}

export function supportsTimestampNtz(protocol: Protocol): boolean {
  return (
    protocol.minReaderVersion >= 3 && protocol.readerFeatures?.includes('timestampNtz') === true
  )
}

export function isAppendOnly(metadata: Metadata): boolean {
  return metadata.configuration['delta.appendOnly'] === 'true'
}

function mapsColumns(metadata: Metadata): boolean {
  const mode = metadata.configuration['delta.columnMapping.mode']
  return mode !== undefined && mode !== 'none'
}

function isConstraint(property: string): boolean {
  return property.startsWith('delta.constraints.')
}

function unsupported(
  table: string,
  act: 'read' | 'write',
  features: readonly string[],
): MillraceError {
  const list = features.join(', ')
  return new MillraceError('DELTA_FEATURE_UNSUPPORTED', {
    message: `the Delta table ${table} needs ${list}, which Millrace does not ${act}`,
    hint:
      act === 'read'
        ? `drop the feature with its owner's tool (ALTER TABLE ... DROP FEATURE, or PURGE for deletion vectors), or read a copy`
        : `drop the feature with its owner's tool (ALTER TABLE ... DROP FEATURE), or write to a table of your own`,
    facts: { table, features: list },
  })
}
