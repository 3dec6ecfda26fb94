/** Which small files are worth rewriting into one: pure. */
import type { AddFile } from './actions.ts'

/** Files that one rewrite must gather, or it is not worth a commit. */
const FILES_MIN = 8

/**
 * Groups of files of one partition, each less than a quarter of `fileBytes`, together about `fileBytes`. Files with tags are left:
 * their layout means something to who wrote them.
 */
export function compactionGroups(
  files: Iterable<AddFile>,
  fileBytes: number,
): readonly (readonly AddFile[])[] {
  const small = new Map<string, AddFile[]>()
  for (const file of files) {
    if (file.size >= fileBytes / 4 || file.tags !== undefined) continue
    const partition = JSON.stringify(Object.entries(file.partitionValues).sort())
    const held = small.get(partition) ?? []
    small.set(partition, held)
    held.push(file)
  }
  return [...small.values()].flatMap((held) => filled(held, fileBytes))
}

function filled(files: readonly AddFile[], fileBytes: number): AddFile[][] {
  const groups: AddFile[][] = []
  let group: AddFile[] = []
  let bytes = 0
  for (const file of files) {
    group.push(file)
    bytes += file.size
    if (bytes < fileBytes) continue
    groups.push(group)
    group = []
    bytes = 0
  }
  groups.push(group)
  return groups.filter(({ length }) => length >= FILES_MIN)
}
