/** Files of an owner: nothing gets a new name in them once another process owns the directory. */
import type { Files } from './files.ts'
import type { Epoch } from './ownership.ts'
import type { Ports } from './ports.ts'

/**
 * `files`, but creating, linking, renaming and removing ask `ownership` first: manifests, segments and commits all become real
 * by one of these, or are gone by the last. Bytes written to a file that is open already are not asked for: they count for nothing until something names them.
 *
 * @throws OWNER_FENCED from those four once the epoch has passed
 */
export function fenceFiles(files: Files, ownership: Epoch): Files {
  return {
    ...files,
    open(path, mode) {
      if (mode === 'create') ownership.assertCurrent()
      return files.open(path, mode)
    },
    rename(from, to) {
      ownership.assertCurrent()
      files.rename(from, to)
    },
    link(from, to) {
      ownership.assertCurrent()
      files.link(from, to)
    },
    remove(path) {
      ownership.assertCurrent()
      files.remove(path)
    },
  }
}

/** The outside of an owner of `directory`, in all of its threads. */
export function fencePorts(ports: Ports, ownership: Epoch, directory: string): Ports {
  const { recipe } = ports
  const owner = { directory, epoch: ownership.epoch }
  return {
    ...ports,
    files: fenceFiles(ports.files, ownership),
    ...(recipe === undefined ? {} : { recipe: { ...recipe, owner } }),
  }
}
