import assert from 'node:assert/strict'
import test from 'node:test'
import { functionNames } from '../../plan/functions/registry.ts'
import { builtIns } from '../expression.ts'
import { nowFunctions } from '../time-kernels.ts'
import { rowFunctions } from './table.ts'

test('every function that can be bound can be run, and none runs that cannot be bound', () => {
  const implemented = [
    ...new Set([...builtIns, ...nowFunctions, ...Object.keys(rowFunctions)]),
  ].sort()
  assert.deepEqual(implemented, [...functionNames()])
})
