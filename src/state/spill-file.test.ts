import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { MillraceError } from '../errors.ts'
import { simulatedPorts } from '../testing/ports.ts'
import { type SpillPiece, spillFile } from './spill-file.ts'

const PATH = '/data/spill/0.spill'

test('pieces are read as they were written, whatever was given up between', () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 20_000 }), frees: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const file = spillFile(simulatedPorts(1).files, PATH)
      const held: { piece: SpillPiece; bytes: Uint8Array }[] = []
      for (const [at, { bytes, frees }] of steps.entries()) {
        if (frees && held.length > 0) file.free(held.splice(bytes % held.length, 1)[0]!.piece)
        const content = new Uint8Array(bytes).fill(at + 1)
        held.push({ piece: file.write(content), bytes: content })
      }
      for (const { piece, bytes } of held) assert.deepEqual(file.read(piece), bytes)
      file.close()
    }),
    { numRuns: 60 },
  )
})

test('places that were given up are used again', () => {
  const { files } = simulatedPorts(1)
  const file = spillFile(files, PATH)
  for (let round = 0; round < 50; round++) file.free(file.write(new Uint8Array(5000)))
  assert.equal(file.bytesUsed, 0)
  assert.ok(files.stat(PATH)!.bytes <= 8192)
  file.close()
  assert.equal(files.exists(PATH), false)
})

test('a disk that is full, and bytes that are not what was written, are told by path', () => {
  const { files } = simulatedPorts(1)
  const file = spillFile(files, PATH)
  const piece = file.write(new Uint8Array(100).fill(7))
  files.fail({ call: 'write', code: 'ENOSPC', nth: 1 })
  assert.throws(() => file.write(new Uint8Array(10)), isSpillFailed(/0\.spill.*ENOSPC/))
  files.flip(PATH, piece.offset + 50)
  assert.throws(() => file.read(piece), isSpillFailed(/byte 0 is not what was written/))
})

function isSpillFailed(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(error.code, 'SPILL_FAILED')
    assert.match(error.message, message)
    return true
  }
}
