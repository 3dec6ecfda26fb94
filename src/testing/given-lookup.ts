/** Tables that a pipeline looks rows up in, as a test gives them: each key meets the rows that there are when it is asked for. */
import type { Lookup, LookupRequest } from '../connectors/contract/lookup.ts'
import { nestedValue } from '../data/nested-values.ts'
import { jsonText, type Row, rowReader, selectedRows } from '../data/values.ts'
import { createJsonDecoder } from '../formats/json/decode.ts'
import { decoded, type GivenRow, type GivenSplit } from './given-rows.ts'

export function givenLookup(request: LookupRequest, splits: readonly GivenSplit[]): Lookup {
  const { key, memory, schema, options } = request
  const isIso = options['json.timestamp-format.standard'] === 'ISO-8601'
  const timestampFormat = isIso ? 'ISO-8601' : 'SQL'
  const decoder = createJsonDecoder({ memory, schema, timestampFormat })
  const read = rowReader(schema, { nested: nestedValue })
  const keyText = (row: Row): string => jsonText(key.map((name) => row[name]!))

  function rowsOf(given: readonly GivenRow[]): readonly Row[] {
    const mark = memory.arena.mark()
    const { batch } = decoded(memory, decoder, given, 0)
    const rows = [...selectedRows(memory, batch)].map((row) => read(memory, batch.columns, row))
    memory.arena.release(mark)
    return rows
  }

  return {
    keysMax: 1000,
    inFlightMax: 1,
    cache: undefined,
    async find(keys) {
      const rows = rowsOf(splits.flatMap(rowsNow))
      const byKey = Map.groupBy(rows, keyText)
      return keys.map((values) => byKey.get(jsonText(values)) ?? [])
    },
    close: async () => decoder.dispose(),
  }
}

/** What a split's changes leave, of those that are there by now. */
function rowsNow({ entries, visible }: GivenSplit): readonly GivenRow[] {
  const left: GivenRow[] = []
  for (const entry of entries.slice(0, visible)) {
    if (entry.kind === '+I' || entry.kind === '+U') left.push(entry)
    if (entry.kind !== '-U' && entry.kind !== '-D') continue
    const gone = left.findIndex(({ bytes }) => Buffer.compare(bytes, entry.bytes) === 0)
    if (gone >= 0) left.splice(gone, 1)
  }
  return left
}
