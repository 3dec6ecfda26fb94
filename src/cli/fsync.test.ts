import assert from 'node:assert/strict'
import test from 'node:test'
import { MillraceError } from '../errors.ts'
import { fsyncPolicy } from './fsync.ts'

test('an fsync policy is one of three words, and no other', () => {
  assert.deepEqual(fsyncPolicy('batch'), { kind: 'batch' })
  assert.deepEqual(fsyncPolicy('os'), { kind: 'os' })
  assert.equal(fsyncPolicy('interval').kind, 'interval')
  for (const word of ['never', 'constructor', '']) {
    assert.throws(
      () => fsyncPolicy(word),
      (error: unknown) => error instanceof MillraceError && error.code === 'USAGE_INVALID',
    )
  }
})
