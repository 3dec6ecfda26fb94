import assert from 'node:assert/strict'
import test from 'node:test'
import { types } from '../data/types.ts'
import { rewrite } from './replayed-times.ts'

const schema = [
  { name: 'note', type: types.string },
  { name: 'at', type: types.timestampLtz(3) },
  { name: 'seen', type: types.timestamp(3) },
]

test('times are written as the reading table wants them, text stays as it is', () => {
  const row =
    '{"note":"2026-01-31T12:00:00Z,\\"at\\":\\"2026-01-31T","at":"2026-01-31T12:00:00.000Z","seen":"2026-01-31 12:00:00.000"}'
  assert.equal(rewrite(schema, ' ')(row), row.replace('"at":"2026-01-31T', '"at":"2026-01-31 '))
  assert.equal(rewrite(schema, 'T')(row), row.replace('"seen":"2026-01-31 ', '"seen":"2026-01-31T'))
})
