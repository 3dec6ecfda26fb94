import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodePorts } from '../ports/node/ports.ts'
import { localSchemas } from '../registry/local-source.ts'
import type { ProducedRecord } from './protocol.ts'
import { heldToSchemas } from './topic-schemas.ts'

test('rows are written as their subject has them, or refused whole; topics without one take any', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-topic-schemas-'))
  const ports = nodePorts()
  const appended: ProducedRecord[] = []
  const append = heldToSchemas(ports, directory, async (_, records) => {
    appended.push(...records)
    return { appended: records.length, duplicates: 0 }
  })
  await append('t', [{ value: '{"any":1}' }])
  const text = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'id', type: 'long' }] })
  await localSchemas(ports, directory).register('t-value', { type: 'AVRO', text, references: [] })
  await append('t', [{ value: '{"id":3}', key: 'k' }])
  await assert.rejects(append('t', [{ value: '{"id":1}' }, { value: '{"id":"x"}' }]), {
    code: 'HTTP_BODY_INVALID',
    message: /row 1 does not fit the schema of t-value: column id/,
  })
  await append('other', [{ value: '{}' }])
  assert.deepEqual(appended, [
    { value: '{"any":1}' },
    { value: Buffer.from([0, 0, 0, 0, 1, 6]).toString('base64'), encoding: 'base64', key: 'k' },
    { value: '{}' },
  ])
  rmSync(directory, { recursive: true })
})
