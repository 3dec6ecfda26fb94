/** What a restore of a keyed table may meet: records that are no records, and another shape of keys and values. */
import { MillraceError } from '../errors.ts'

export function badRecord(need: number): MillraceError {
  return new MillraceError('CHECKPOINT_CORRUPT', {
    message: 'a record of keyed state can not be read, though its checksum is right',
    hint: 'restore an older checkpoint or a savepoint, or start afresh with --fresh',
    facts: { need },
  })
}

export function schemaChanged(found: string, wanted: string): MillraceError {
  return new MillraceError('CHECKPOINT_MISMATCH', {
    message: `the checkpoint holds keyed state of another shape: ${found}, the query needs ${wanted}`,
    hint: 'keep the old query, or start the changed one afresh with --fresh or another pipeline.name',
    facts: { found, wanted },
  })
}
