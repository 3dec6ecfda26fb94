/**
 * The project's own registry as formats see it. Any thread and process may read; a schema that is not there yet can only be
 * registered where the data directory is owned, in the main thread: a sink's start does it before any writer is opened.
 */
import { isMainThread } from 'node:worker_threads'
import { MillraceError } from '../errors.ts'
import type {
  RegisteredSchema,
  ResolvedSchema,
  SchemaId,
  SchemaSource,
} from '../formats/schema-source.ts'
import type { Ports } from '../ports/ports.ts'
import { decideRegister } from './decisions.ts'
import type { SchemaEntry } from './entries.ts'
import { FAULTS } from './faults.ts'
import { type GivenSchema, sameAmong } from './registry.ts'
import type { RegistryState } from './state.ts'
import { openRegistryStore, readRegistry } from './store.ts'

export function localSchemas(ports: Ports, dataDirectory: string): SchemaSource {
  const reader = readRegistry(ports, dataDirectory)
  const { state } = reader
  return {
    framing: 'confluent',
    async byId(id) {
      if (state.byId(Number(id)).length === 0) reader.refresh()
      const [entry] = state.byId(Number(id))
      const found = entry && registered(state, entry)
      if (found !== undefined) return found
      throw idUnknown(id)
    },
    async latest(subject) {
      reader.refresh()
      const entry = state.versions(subject, false).at(-1)
      return entry && registered(state, entry)
    },
    async find(subject, schema) {
      reader.refresh()
      return sameAmong(state.versions(subject, false), givenOf(schema))?.id
    },
    async register(subject, schema) {
      reader.refresh()
      const given = givenOf(schema)
      const known = sameAmong(state.versions(subject, false), given)
      if (known !== undefined) return known.id
      return registerHere(ports, dataDirectory, subject, given)
    },
  }
}

function givenOf({ type, text, references }: ResolvedSchema): GivenSchema {
  if (references.length > 0) throw referencesUnsupported()
  return { type, text, references: [] }
}

async function registerHere(
  ports: Ports,
  dataDirectory: string,
  subject: string,
  given: GivenSchema,
): Promise<SchemaId> {
  if (!isMainThread) throw notRegistered(subject)
  const store = await openRegistryStore(ports, dataDirectory)
  try {
    const { id } = await store.change((now) => decideRegister(now, subject, given))
    return id
  } catch (error) {
    throw asSchemaError(subject, error)
  } finally {
    await store.close()
  }
}

/** What the registry refuses, as those who write records meet it. */
export function asSchemaError(subject: string, error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error
  const { errorCode } = error.facts
  const code =
    errorCode === FAULTS.incompatible
      ? 'SCHEMA_INCOMPATIBLE'
      : errorCode === FAULTS.schemaInvalid
        ? 'SCHEMA_INVALID'
        : undefined
  if (code === undefined) return error
  return new MillraceError(code, {
    message: error.message,
    hint:
      code === 'SCHEMA_INCOMPATIBLE'
        ? `change the schema so that both can be read, write under another subject, or set the subject's level: PUT /config/${subject}`
        : error.hint,
    facts: { subject },
    cause: error,
  })
}

function registered(state: RegistryState, entry: SchemaEntry): RegisteredSchema | undefined {
  const resolved = state.resolve(entry)
  return resolved && { ...resolved, id: entry.id }
}

/** @throws never: it is returned to be thrown */
export function idUnknown(id: SchemaId): MillraceError {
  return new MillraceError('SCHEMA_ID_UNKNOWN', {
    message: `a record names schema ${id}, which the registry does not have`,
    hint: "is it the registry that the records' producer writes to? Nothing behind the record is read until it has the schema",
    facts: { id },
  })
}

function notRegistered(subject: string): MillraceError {
  return new MillraceError('SCHEMA_MISSING', {
    message: `the schema of ${subject} has not been registered`,
    hint: 'a sink registers it when it starts; was its subject deleted since?',
    facts: { subject },
  })
}

export function referencesUnsupported(): MillraceError {
  return new MillraceError('SCHEMA_INVALID', {
    message: 'a schema that a table writes can not refer to others',
    hint: 'write the types it needs into the schema itself',
  })
}
