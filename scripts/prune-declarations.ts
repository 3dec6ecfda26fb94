/** Declarations that nobody can import are left out of the package: a disk gives each of a thousand small files its 4 KiB. */
import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const IMPORTED = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.(?:js|ts)['"]/g

/** @param entries declarations that the package's `exports` name, below `directory` */
export function pruneDeclarations(directory: string, entries: readonly string[]): void {
  const needed = new Set<string>()
  const visit = (file: string): void => {
    if (needed.has(file)) return
    needed.add(file)
    for (const [, path] of readFileSync(file, 'utf8').matchAll(IMPORTED))
      visit(resolve(dirname(file), `${path}.d.ts`))
  }
  for (const entry of entries) visit(resolve(directory, entry))
  for (const file of globSync(join(directory, '**/*.d.ts')))
    if (!needed.has(resolve(file))) rmSync(file)
}

/** The declarations that a package's `exports` name, relative to `directory`. */
export function declaredEntries(packageFile: string, directory: string): readonly string[] {
  const { exports } = JSON.parse(readFileSync(packageFile, 'utf8'))
  return Object.values<{ readonly types?: string } | string>(exports).flatMap((entry) =>
    typeof entry === 'string' || entry.types === undefined
      ? []
      : [relative(directory, entry.types)],
  )
}
