/** Going back a checkpoint: for what a sink had prepared and then lost. */
import type { Ports } from '../ports/ports.ts'

/**
 * Removes the newest manifest below a pipeline's directory, if there is an older one to go on from; false if there is not.
 * Nothing may have been committed for it: whoever asks knows.
 */
export async function rollBack({ files, faultPoint }: Ports, directory: string): Promise<boolean> {
  const manifests = `${directory}/manifests`
  const names = files.list(manifests).filter((name) => name.endsWith('.json'))
  if (names.length < 2) return false
  faultPoint('roll-back')
  files.remove(`${manifests}/${names.sort().at(-1)}`)
  await files.syncDirectory(manifests)
  return true
}
