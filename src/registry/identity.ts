/** When two schemas are the same one, and so have one id: apart from spaces, order of keys and comments. */
import { tokenTexts } from '../formats/protobuf/tokens.ts'
import type { SchemaEntry } from './entries.ts'
import { canonicalJson } from './json-schema/canonical.ts'

export function identityOf(
  schema: Pick<SchemaEntry, 'type' | 'text' | 'references' | 'metadata' | 'ruleSet'>,
): string {
  const { type, text, references, metadata, ruleSet } = schema
  return canonicalJson([type, sameText(type, text), references, metadata ?? null, ruleSet ?? null])
}

function sameText(type: SchemaEntry['type'], text: string): string {
  try {
    if (type === 'PROTOBUF') return tokenTexts(text).join(' ')
    const json: unknown = JSON.parse(text)
    return canonicalJson(type === 'AVRO' ? plainAvro(json) : json)
  } catch {
    return text.trim()
  }
}

/** `{"type":"int"}` is "int". */
function plainAvro(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(plainAvro)
  if (typeof json !== 'object' || json === null) return json
  const entries = Object.entries(json)
  if (entries.length === 1 && entries[0]![0] === 'type') return plainAvro(entries[0]![1])
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === 'default' ? value : plainAvro(value)]),
  )
}
