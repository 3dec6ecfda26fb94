import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LINE_BYTES_MAX, type Line, type LineFields, readLines } from './produce-lines.ts'

test('good lines around bad ones are kept, and bad ones are told with their line', async () => {
  const text = '{"a":1}\n\n{"a":\n[1]\n"x"\nnull\n  {"a":2}  \r\n{"a":3}'
  const lines = await readAll([text])
  assert.deepEqual(
    lines.map((line) => (line.kind === 'bad' ? line.line : line.record.value)),
    ['{"a":1}', 3, 4, 5, 6, '{"a":2}', '{"a":3}'],
  )
})

test('invalid UTF-8 is a bad line, and the next one is good', async () => {
  const lines = await readAll([Buffer.from([0x22, 0xff, 0x22, 0x0a]), '{"a":1}\n'])
  assert.deepEqual(
    lines.map(({ kind }) => kind),
    ['bad', 'record'],
  )
})

test('a line that is too long is told and skipped, without being kept', async () => {
  const chunk = Buffer.alloc(1 << 20, 'x')
  const chunks = Array.from({ length: (LINE_BYTES_MAX >> 20) + 1 }, () => chunk)
  const lines = await readAll([...chunks, '\n{"a":1}\n'])
  assert.deepEqual(
    lines.map(({ kind }) => kind),
    ['bad', 'record'],
  )
})

test('lines are the same however their bytes are cut', async () => {
  const value = fc.dictionary(
    fc.constantFrom('a', 'é', '東', '__proto__'),
    fc.string({ unit: 'grapheme' }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(value), fc.integer({ min: 1, max: 9 }), async (values, size) => {
      const texts = values.map((each) => JSON.stringify(each))
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''))
      const chunks = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      const lines = await readAll(chunks)
      assert.deepEqual(
        lines.map((line) => line.kind === 'record' && line.record.value),
        texts,
      )
    }),
  )
})

test('key, event id and event time come from their fields, numbers with all their digits', async () => {
  const fields = { key: 'shop', eventId: 'id', eventTime: 'at' }
  const text =
    '{"shop":"oslo","nested":{"id":1},"id":12345678901234567890,"at":"2026-01-05T08:00:00.250Z"}\n' +
    '{"shop":{"a":1},"id":7,"at":1767600000000}\n' +
    '{"shop":true,"id":"x","at":"2026-01-05 09:00:00+01:00"}\n'
  assert.deepEqual(
    (await readAll([text], fields)).map((line) => {
      if (line.kind === 'bad') return line
      const { value, ...rest } = line.record
      return { ...rest, isSame: text.includes(value) }
    }),
    [
      {
        key: 'oslo',
        eventId: '12345678901234567890',
        eventTimeMs: 1_767_600_000_250,
        isSame: true,
      },
      { key: '{"a":1}', eventId: '7', eventTimeMs: 1_767_600_000_000, isSame: true },
      { key: 'true', eventId: 'x', eventTimeMs: 1_767_600_000_000, isSame: true },
    ],
  )
})

test('a field that is asked for and not there, null, inherited or no time makes the line bad', async () => {
  const cases: [string, LineFields][] = [
    ['{"a":1}', { key: 'b' }],
    ['{"a":null}', { key: 'a' }],
    ['{"a":1}', { key: 'toString' }],
    ['{"a":1}', { eventId: 'constructor' }],
    ['{"a":"yesterday"}', { eventTime: 'a' }],
    ['{"a":"2026-13-45 00:00:00"}', { eventTime: 'a' }],
    ['{}', { eventTime: 'a' }],
  ]
  for (const [text, fields] of cases)
    assert.equal((await readAll([text], fields))[0]?.kind, 'bad', text)
})

test('under a batch id a line is named by its number, bad and empty ones counted', async () => {
  const lines = await readAll(['{"a":1}\nbad\n\n{"a":2}\n'], { batchId: 'b' })
  assert.deepEqual(
    lines.map((line) => line.kind === 'record' && line.record.eventId),
    ['b:1', false, 'b:4'],
  )
})

async function readAll(
  chunks: readonly (string | Buffer)[],
  fields: LineFields = {},
): Promise<Line[]> {
  const found: Line[] = []
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  for await (const lines of readLines(input, fields)) found.push(...lines)
  return found
}
