/** Builds `dist/` for publishing: plain ES modules and declarations, kernels inside. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { declaredEntries, pruneDeclarations } from './prune-declarations.ts'

rmSync('dist', { recursive: true, force: true })
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
// The naive program that the demo runs beside a pipeline: an example, published as JavaScript too.
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.examples.json'], { stdio: 'inherit' })
if (existsSync('dist/cli/main.js')) chmodSync('dist/cli/main.js', 0o755)
pruneDeclarations('dist', declaredEntries('package.json', 'dist'))
