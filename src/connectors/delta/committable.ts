/** What a writer prepares and the committer commits: JSON with a format number, kept in checkpoints of any release. */
import { z } from 'zod'
import { invariant } from '../../errors.ts'
import { type Action, type AddFile, actionOf } from '../../lakehouse/delta/actions.ts'
import type { CheckpointId, Committable } from '../contract/sink.ts'

/** Changed rows of an upsert, staged beside the table. */
export interface StagedChanges {
  readonly key: string
  readonly rowCount: number
  readonly bytes: number
}

export interface Prepared {
  /** Id of the Delta table that the files were written for. */
  readonly table: string
  readonly adds: readonly AddFile[]
  readonly changes: readonly StagedChanges[]
}

const staged = z.object({ key: z.string(), rowCount: z.number(), bytes: z.number() })
const committable = z.object({
  format: z.literal(1),
  table: z.string(),
  adds: z.array(z.unknown()).default([]),
  changes: z.array(staged).default([]),
})

export function appendCommittable(
  table: string,
  checkpoint: CheckpointId,
  adds: readonly AddFile[],
): Committable {
  return JSON.stringify({ format: 1, table, checkpoint, adds })
}

export function upsertCommittable(
  table: string,
  checkpoint: CheckpointId,
  changes: readonly StagedChanges[],
): Committable {
  return JSON.stringify({ format: 1, table, checkpoint, changes })
}

export function readCommittable(text: Committable): Prepared {
  const parsed = committable.safeParse(JSON.parse(text))
  invariant(parsed.success, `a committable of a delta sink is what this release reads: ${text}`)
  const { table, adds, changes } = parsed.data
  const isAdd = (action: Action | undefined) => action?.add
  const files = adds.flatMap(
    (add, index) => isAdd(actionOf('committable', `file ${index}`, { add })) ?? [],
  )
  return { table, adds: files, changes }
}
