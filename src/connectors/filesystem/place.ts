/** Where a table's files lie: below a local path, or as objects in a store. */
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '../../errors.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import type { Ports } from '../../ports/ports.ts'

export type Place =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'objects'; readonly url: string }

/** Of 'file:///a/b', '/a/b', or 'b' below the project; of 's3://bucket/b'. @throws STORE_UNSUPPORTED for another scheme */
export function placeOf(table: string, path: string, baseDirectory: string): Place {
  if (path.startsWith('file:')) return { kind: 'local', path: fileURLToPath(path) }
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1]
  if (scheme === 's3' || scheme === 's3a') return { kind: 'objects', url: path }
  if (scheme !== undefined)
    throw new MillraceError('STORE_UNSUPPORTED', {
      message: `table ${table}: 'filesystem' knows no store '${scheme}'`,
      hint: "use a local path, 'file:///...' or 's3://bucket/path'",
      facts: { table, path, scheme },
    })
  return { kind: 'local', path: isAbsolute(path) ? path : resolve(baseDirectory, path) }
}

/** The store that holds the object of this url, and its key there; undefined of a whole bucket. */
export function objectAt(
  ports: Ports,
  url: string,
): { readonly store: ObjectStore; readonly key: string } | undefined {
  const [, folder, key] = /^(\w+:\/\/[^/]+.*)\/([^/]+)\/?$/.exec(url) ?? []
  if (folder === undefined || key === undefined) return undefined
  return { store: ports.objects(folder), key }
}

/** Files and folders whose names begin with a dot or an underscore are no part of the table. */
export function isHidden(key: string): boolean {
  return key.split('/').some((name) => name.startsWith('.') || name.startsWith('_'))
}
