/** The package's version: read from package.json, which stands at the same depth above src and dist. */
import { readFileSync } from 'node:fs'

export const VERSION: string = readVersion()

function readVersion(): string {
  const read: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : ''
}
