/** Functions of texts computed on their bytes by kernels: nothing is decoded, and what stays as it is is not copied. */
import type { Vector } from '../data/batch.ts'
import type { Pointer } from '../data/memory.ts'
import { selectKernel } from '../kernels/select.ts'
import { textKernel } from '../kernels/text.ts'
import type { Expression } from '../plan/expressions.ts'
import type { Selector } from './comparison.ts'
import type { Frame } from './compiled.ts'
import { frameOf, selectionFor } from './frame-rows.ts'
import { requiredText } from './functions/required-text.ts'
import { bitmapBytes, type Compiled, filled, marksOf, truths } from './vectors.ts'

type Call = Extract<Expression, { kind: 'call' }>

interface Bytes {
  readonly address: Pointer
  readonly length: number
}

/**
 * The call on bytes; undefined where it needs the text itself. `byValues` is the call on decoded values, for the rows that can't do
 * without.
 */
export function byteCall(
  call: Call,
  args: readonly Compiled[],
  byValues: (args: readonly Compiled[]) => Compiled,
): Compiled | undefined {
  const [text, ...others] = args
  if (text?.type.kind !== 'varchar') return undefined
  const constants = others.map(({ constant }) => constant)
  const selector = byteSelector(call, args)
  if (selector !== undefined) return tested(call, text, selector)
  switch (call.function) {
    case 'CHAR_LENGTH':
      return onBytes(call, text, lengths)
    case 'SPLIT_INDEX':
      return splitIndex(call, text, constants)
    case 'REPLACE':
      return replacing(call, args, constants)
    case 'LOWER':
      return turned(call, args, 'A', byValues)
    case 'UPPER':
      return turned(call, args, 'a', byValues)
    case 'REGEXP_EXTRACT':
      return extracting(call, args, constants[0], byValues)
    default:
      return undefined
  }
}

/** Rows whose text starts with, ends with, has or is a constant one; undefined if the call does not ask that. */
export function byteSelector(call: Call, args: readonly Compiled[]): Selector | undefined {
  const [text, wanted] = args
  if (text?.type.kind !== 'varchar' || args.length !== 2) return undefined
  if (typeof wanted?.constant !== 'string') return undefined
  const place = placeOf(call.function, wanted.constant)
  return place && having(text, place.text, place.at)
}

type Place = 0 | 1 | 2 | 3

function placeOf(name: string, wanted: string): { text: string; at: Place } | undefined {
  if (name === 'STARTSWITH') return { text: wanted, at: 1 }
  if (name === 'ENDSWITH') return { text: wanted, at: 2 }
  if (name !== 'LIKE') return undefined
  const [, before, text, after] = /^(%*)([^%_]*)(%*)$/.exec(wanted) ?? []
  if (text === undefined) return undefined
  const [opens, closes] = [before !== '', after !== '']
  if (opens) return { text, at: closes || text === '' ? 0 : 2 }
  return { text, at: closes ? 1 : 3 }
}

function having(value: Compiled, wanted: string, place: Place): Selector {
  return (frame) => {
    const { cells, validity } = value.evaluate(frame)
    const { address, length } = bytesIn(frame, wanted)
    const out = selectionFor(frame)
    const { memory, selection, count } = frame
    const kernel = textKernel(memory)
    const passed = kernel.having(cells, validity, selection, count, address, length, place, out)
    return { selection: out, count: passed }
  }
}

function tested(call: Call, text: Compiled, select: Selector): Compiled {
  return {
    type: call.type,
    ...marksOf([text]),
    evaluate: (frame) => truths(frame, call.type, select(frame), text.evaluate(frame).validity),
  }
}

function onBytes(
  call: Call,
  text: Compiled,
  compute: (frame: Frame, texts: Vector) => Omit<Vector, 'type'>,
): Compiled {
  return {
    type: call.type,
    ...marksOf([text]),
    evaluate: (frame) => ({ ...compute(frame, text.evaluate(frame)), type: call.type }),
  }
}

function lengths({ memory, rowCount, selection, count }: Frame, { cells, validity }: Vector) {
  const out = memory.arena.allocateCleared(8 * rowCount)
  textKernel(memory).lengths(cells, validity, selection, count, out)
  return { cells: out, validity }
}

/** Of a separator that is one ASCII character, and a part counted from the start. */
function splitIndex(
  call: Call,
  text: Compiled,
  [separator, index]: readonly unknown[],
): Compiled | undefined {
  if (typeof separator !== 'string' || separator.length !== 1) return undefined
  if (typeof index !== 'bigint' || index < 0n) return undefined
  const by = separator.charCodeAt(0)
  if (by === 0 || by >= 0x80) return undefined
  const part = Number(index)
  return onBytes(call, text, ({ memory, rowCount, selection, count }, { cells, validity }) => {
    const out = memory.arena.allocateCleared(8 * rowCount)
    const valid = memory.arena.allocateCleared(bitmapBytes(rowCount))
    textKernel(memory).parts(cells, validity, selection, count, by, part, out, valid)
    return { cells: out, validity: valid }
  })
}

/** Of constants, the second no longer than the first: then a result is no longer than its text. */
function replacing(
  call: Call,
  args: readonly Compiled[],
  [search, by]: readonly unknown[],
): Compiled | undefined {
  if (typeof search !== 'string' || typeof by !== 'string' || search === '') return undefined
  if (Buffer.byteLength(by) > Buffer.byteLength(search)) return undefined
  return onBytes(call, args[0]!, (frame, { cells, validity }) => {
    const { memory, rowCount, selection, count } = frame
    const [from, to] = [bytesIn(frame, search), bytesIn(frame, by)]
    const kernel = textKernel(memory)
    const space = spaceFor(frame, kernel.bytesOf(cells, validity, selection, count))
    const out = memory.arena.allocateCleared(8 * rowCount)
    kernel.replace(
      cells,
      validity,
      selection,
      count,
      from.address,
      from.length,
      to.address,
      to.length,
      out,
      space,
    )
    return { cells: out, validity }
  })
}

/** ASCII by bytes, all else by values: letters of Unicode may change their number. */
function turned(
  call: Call,
  [text]: readonly Compiled[],
  first: 'a' | 'A',
  byValues: (args: readonly Compiled[]) => Compiled,
): Compiled {
  return {
    ...byValues([text!]),
    evaluate(frame) {
      const { memory, rowCount, selection, count } = frame
      const texts = text!.evaluate(frame)
      const { cells, validity } = texts
      const kernel = textKernel(memory)
      const space = spaceFor(frame, kernel.bytesOf(cells, validity, selection, count))
      const result = {
        type: call.type,
        cells: memory.arena.allocateCleared(8 * rowCount),
        validity,
      }
      const rest = selectionFor(frame)
      const others = kernel.turnLetters(
        cells,
        validity,
        selection,
        count,
        first.charCodeAt(0),
        result.cells,
        space,
        rest,
      )
      if (others === 0) return result
      const rows = { selection: rest, count: others }
      const known = { ...text!, evaluate: () => texts }
      const computed = byValues([known]).evaluate(frameOf(frame, rows))
      selectKernel(memory).copyCells(computed.cells, result.cells, 8, rest, others)
      return result
    },
  }
}

/** Only texts that have what every match has are decoded. */
function extracting(
  call: Call,
  args: readonly Compiled[],
  pattern: unknown,
  byValues: (args: readonly Compiled[]) => Compiled,
): Compiled | undefined {
  const required = typeof pattern === 'string' ? requiredText(pattern) : undefined
  if (required === undefined) return undefined
  const [text, ...others] = args
  const whole = byValues(args)
  return {
    ...whole,
    evaluate(frame) {
      const texts = text!.evaluate(frame)
      const known = { ...text!, evaluate: () => texts }
      const rows = having(known, required, 0)(frame)
      if (rows.count === 0) return filled(frame, call.type, null)
      return byValues([known, ...others]).evaluate(frameOf(frame, rows))
    },
  }
}

function spaceFor({ memory }: Frame, bytes: number): Pointer {
  return memory.arena.allocate(Math.max(1, bytes))
}

function bytesIn({ memory }: Frame, text: string): Bytes {
  const bytes = Buffer.from(text)
  const address = memory.arena.allocate(Math.max(1, bytes.length))
  memory.u8.set(bytes, address)
  return { address, length: bytes.length }
}
