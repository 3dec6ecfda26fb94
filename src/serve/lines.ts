/** Newline-delimited JSON over a stream, with a bound on each line: what is longer is refused before it is kept. */
import type { Readable } from 'node:stream'
import { MillraceError } from '../errors.ts'

const NEWLINE = 10

/**
 * The lines of `stream` as parsed JSON, in order; a last line without its newline counts.
 *
 * @throws CONTROL_INVALID if a line is longer than `bytesMax` or is no JSON
 */
export async function* jsonLines(stream: Readable, bytesMax: number): AsyncGenerator<unknown> {
  let parts: Buffer[] = []
  let held = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      const part = chunk.subarray(start, end < 0 ? chunk.length : end)
      parts.push(part)
      held += part.length
      if (held > bytesMax) throw controlInvalid(`a line is longer than ${bytesMax} bytes`)
      if (end < 0) break
      yield parsed(Buffer.concat(parts))
      parts = []
      held = 0
      start = end + 1
    }
  }
  if (held > 0) yield parsed(Buffer.concat(parts))
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString())
  } catch {
    throw controlInvalid('a line is no JSON')
  }
}

/** The error of a peer that does not speak this protocol. */
export function controlInvalid(what: string): MillraceError {
  return new MillraceError('CONTROL_INVALID', {
    message: `the control channel got what it can't take: ${what}`,
    hint: 'both sides must be Millrace, of versions that share a protocol: compare `millrace --version`',
  })
}
