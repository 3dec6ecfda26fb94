/**
 * Which message of its schema a record is: its place among the messages of the file, then among those nested in it.
 *
 *   wire  the number of places, then each, zigzag varints; a single 0 stands for the file's first message
 *
 * @see Confluent documentation, "Wire Format", Protobuf
 */
import type { NamedType, ProtoNames } from './names.ts'
import type { ProtoMessage, ProtoType } from './schema.ts'

const PLACES_MAX = 64

export interface MessagePath {
  readonly places: readonly number[]
  /** Bytes that it took. */
  readonly length: number
}

/** Undefined if the bytes are none. */
export function readMessagePath(bytes: Uint8Array): MessagePath | undefined {
  let at = 0
  const zigzag = (): number => {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) return -1
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -1
    }
    return -1
  }
  const count = zigzag()
  if (count === 0) return { places: [0], length: at }
  if (count < 0 || count > PLACES_MAX) return undefined
  const places = Array.from({ length: count }, zigzag)
  return places.includes(-1) ? undefined : { places, length: at }
}

export function writeMessagePath(places: readonly number[]): Uint8Array {
  if (places.length === 1 && places[0] === 0) return Uint8Array.of(0)
  const out: number[] = []
  for (const value of [places.length, ...places]) {
    let rest = 2 * value
    for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
    out.push(rest)
  }
  return Uint8Array.from(out)
}

/** The message at a place, with its full name. */
export function messageAt(names: ProtoNames, places: readonly number[]): NamedType | undefined {
  let types: readonly ProtoType[] = names.file.types
  let name = names.file.package
  let found: ProtoMessage | undefined
  for (const place of places) {
    found = types.filter((type) => type.kind === 'message')[place]
    if (found === undefined) return undefined
    name = name === '' ? found.name : `${name}.${found.name}`
    types = found.types
  }
  return found && { name, package: names.file.package, type: found, isLocal: true }
}

/** The place of a message by its full name, or by the last part of it. */
export function placesOf(names: ProtoNames, wanted: string): readonly number[] | undefined {
  const search = (types: readonly ProtoType[], scope: string): readonly number[] | undefined => {
    const messages = types.filter((type) => type.kind === 'message')
    for (const [place, message] of messages.entries()) {
      const name = scope === '' ? message.name : `${scope}.${message.name}`
      if (name === wanted || message.name === wanted) return [place]
      const inner = search(message.types, name)
      if (inner !== undefined) return [place, ...inner]
    }
    return undefined
  }
  return search(names.file.types, names.file.package)
}
