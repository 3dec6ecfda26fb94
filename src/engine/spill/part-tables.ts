/** Tables of an operator whose parts are apart, in a checkpoint: as if they were not. */
import type { TakenTables } from '../../state/spilled-tables.ts'
import type { StateWriter } from '../../state/state-stream.ts'

/** What parts have of tables of one name stands together. */
export function writeParts(
  writer: StateWriter,
  parts: readonly TakenTables<Uint8Array>[],
  replaces: boolean,
): void {
  const tables: TakenTables<Uint8Array> = new Map()
  for (const part of parts) {
    for (const [name, { schema, pieces: own }] of part) {
      const known = tables.get(name)
      if (known === undefined) tables.set(name, { schema, pieces: own })
      else known.pieces.push(...own)
    }
  }
  for (const [name, { schema, pieces: records }] of tables) {
    writer.table(name, (sink) => {
      sink.schema(schema)
      if (replaces) sink.replace()
      for (const each of records) sink.records(each, 0)
    })
  }
}
