import assert from 'node:assert/strict'
import test from 'node:test'
import { kindsOf, rowsOf } from '../../../test/builders/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { values } from './values.ts'

const schema: Schema = [
  { name: 'city', type: types.string },
  { name: 'n', type: types.int },
]

async function read(options: Record<string, string>, start?: string) {
  const memory = new LinearMemory()
  const source = await values.source!.open({
    table: 't',
    options,
    schema,
    physical: schema,
    metadataKeys: [],
    ports: nodePorts(),
    baseDirectory: '.',
    dataDirectory: '.',
  })
  const reader = await source.open('0', start, memory)
  const polled = await reader.poll({ rowsMax: 100, waitMs: 0 })
  assert.ok(polled !== undefined && typeof polled !== 'string')
  assert.equal(await reader.poll({ rowsMax: 100, waitMs: 0 }), 'ended')
  return {
    rows: rowsOf(memory, polled.batch),
    kinds: kindsOf(memory, polled.batch),
    dead: polled.dead,
  }
}

const data = '{"city":"oslo","n":1}\n\n  {"city":"bergen"}\nnonsense'

test('rows stand in the option, one a line; a bad one is dead with its reason', async () => {
  const { rows, dead } = await read({ data })
  assert.deepEqual(rows, [
    ['oslo', 1n],
    ['bergen', null],
  ])
  assert.equal(dead.length, 1)
  assert.equal(dead[0]!.position, '2')
})

test('reading from a position gives the rest', async () => {
  assert.deepEqual((await read({ data }, '1')).rows, [['bergen', null]])
})

test('a changelog has its kinds, and kinds are refused where none is declared', async () => {
  const changes = '+I {"city":"oslo","n":1}\n-D {"city":"oslo","n":1}\n{"city":"rana","n":2}'
  const { kinds, rows } = await read({ data: changes, changelog: 'true' })
  assert.deepEqual(kinds, ['+I', '-D', '+I'])
  assert.equal(rows.length, 3)
  await assert.rejects(
    read({ data: changes }),
    (error) => error instanceof MillraceError && error.code === 'OPTION_INVALID',
  )
})
