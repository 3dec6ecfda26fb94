/** `millrace explain NEW --upgrade OLD`: which state survives a change of a pipeline's text. */
import { MillraceError } from '../../errors.ts'
import type { PlanNode, SinkNode } from '../../plan/nodes.ts'
import { upgradeOf } from '../../plan/upgrade.ts'
import type { Io } from '../io.ts'
import { fileName } from '../project.ts'
import { nodeText } from '../render/plan.ts'
import type { CompiledPipeline } from '../scripts.ts'

/** One pipeline against one. @throws USAGE_INVALID */
export function explainUpgrade(
  io: Io,
  old: readonly CompiledPipeline[],
  now: readonly CompiledPipeline[],
  isJson: boolean,
): void {
  const [before] = old
  const [after, ...others] = now
  if (before === undefined || after === undefined || others.length > 0) throw oneOnly()
  const { kept, changed, added, removed, functions } = upgradeOf(before.pipeline, after.pipeline)
  const texts = (nodes: readonly (PlanNode | SinkNode)[]) => nodes.map(textOf)
  if (isJson) {
    io.out(
      JSON.stringify({
        before: fileName(before.file),
        after: fileName(after.file),
        kept: texts(kept),
        changed: changed.map(({ before, after, because }) => ({
          before: textOf(before),
          after: textOf(after),
          because,
        })),
        added: texts(added),
        removed: texts(removed),
        functions,
      }),
    )
    return
  }
  io.out(`${io.style.strong(fileName(before.file))} to ${io.style.strong(fileName(after.file))}`)
  section(io, 'goes on with its state', texts(kept))
  section(
    io,
    'means something else now: its state is not gone on with',
    changed.flatMap(({ after, because }) => [textOf(after), ...because.map((each) => `  ${each}`)]),
  )
  section(io, 'begins empty', texts(added))
  section(io, 'is gone', texts(removed))
  section(
    io,
    'is another version: what was computed with the old one stays',
    functions.map(({ name, before, after }) => `function ${name}: ${before} before, ${after} now`),
  )
  io.out('')
  for (const line of verdict(changed.length + removed.length, added.length)) io.out(`  ${line}`)
}

function textOf(node: PlanNode | SinkNode): string {
  return node.kind === 'sink' ? `sink ${node.table.name}` : nodeText(node)
}

function section(io: Io, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  io.out('')
  io.out(`  ${io.style.strong(title)}`)
  for (const line of lines) io.out(`    ${line}`)
}

function verdict(lost: number, added: number): readonly string[] {
  if (lost > 0)
    return [
      'The checkpoint is refused (CHECKPOINT_MISMATCH), so that nothing is given up unasked. To compute everything again from where',
      'the sources begin: `--fresh`, or another pipeline name beside the old one, whose table is swapped in when it has caught up.',
    ]
  if (added > 0)
    return ['The checkpoint is restored. What begins empty knows nothing of the rows before it.']
  return ['The checkpoint is restored whole.']
}

function oneOnly(): MillraceError {
  return new MillraceError('USAGE_INVALID', {
    message: '--upgrade compares one pipeline with one',
    hint: 'name the new file: millrace explain pipelines/revenue.sql --upgrade old/revenue.sql',
  })
}
