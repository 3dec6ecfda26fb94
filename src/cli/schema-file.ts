/** Schemas as the command line names them: files, by their endings. */
import { readFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { ResolvedSchema } from '../formats/schema-source.ts'

const TYPES: Readonly<Record<string, ResolvedSchema['type']>> = {
  '.avsc': 'AVRO',
  '.proto': 'PROTOBUF',
  '.json': 'JSON',
}

/** Reads a schema's file; its ending says what it is. @throws USAGE_INVALID, FILE_UNREADABLE */
export function readSchemaFile(directory: string, path: string): ResolvedSchema {
  const type = TYPES[extname(path).toLowerCase()]
  if (type === undefined)
    throw new MillraceError('USAGE_INVALID', {
      message: `${path} ends in neither .avsc, .proto nor .json`,
      hint: 'the ending says what the schema is: Avro, Protobuf or JSON Schema',
      facts: { path },
    })
  try {
    return { type, text: readFileSync(resolve(directory, path), 'utf8'), references: [] }
  } catch (error) {
    throw new MillraceError('FILE_UNREADABLE', {
      message: `can't read ${path}: ${error instanceof Error ? error.message : error}`,
      hint: 'name the file of a schema',
      facts: { path },
      cause: error,
    })
  }
}
