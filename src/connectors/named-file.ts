/** Small files that options name: certificates and keys. */
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'

const BYTES_MAX = 1 << 20

/** All of the file, 1 MiB at most. @throws FILE_MISSING */
export function readNamedFile(
  { files }: Pick<Ports, 'files'>,
  table: string,
  option: string,
  path: string,
): Buffer {
  const stat = files.stat(path)
  if (stat === undefined || stat.isDirectory)
    throw new MillraceError('FILE_MISSING', {
      message: `table ${table}: '${option}' names ${path}, which is not there`,
      hint: 'give the path of a file, from the root',
      facts: { table, option, path },
    })
  const handle = files.open(path, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(handle.bytes(), BYTES_MAX))
    handle.read(bytes, 0)
    return bytes
  } finally {
    handle.close()
  }
}
