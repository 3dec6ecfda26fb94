import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import { fenceFiles } from './fenced-files.ts'
import { nodeFiles } from './node/files.ts'

test('a fenced owner can read, but give nothing a name', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-fence-'))
  const path = (name: string) => join(directory, name)
  let isCurrent = true
  const files = fenceFiles(nodeFiles(), {
    epoch: 1,
    assertCurrent() {
      if (!isCurrent) throw new MillraceError('OWNER_FENCED', { message: 'm', hint: 'h' })
    },
  })
  files.open(path('a'), 'create').close()
  files.link(path('a'), path('b'))
  files.rename(path('b'), path('c'))
  isCurrent = false
  assert.throws(() => files.open(path('d'), 'create'), { code: 'OWNER_FENCED' })
  assert.throws(() => files.link(path('a'), path('d')), { code: 'OWNER_FENCED' })
  assert.throws(() => files.rename(path('a'), path('d')), { code: 'OWNER_FENCED' })
  assert.throws(() => files.remove(path('a')), { code: 'OWNER_FENCED' })
  files.open(path('a'), 'read').close()
  assert.deepEqual(files.list(directory), ['a', 'c'])
  rmSync(directory, { recursive: true })
})
