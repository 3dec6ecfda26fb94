/** The documents a JSON schema is made of, and what `$ref` finds in them: by URI, `$id`, anchor and JSON pointer. */
import { MillraceError } from '../../errors.ts'
import type { JsonSchema } from './schema.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** A place in a document. */
export interface Place {
  readonly json: unknown
  /** '#/properties/price', for messages. */
  readonly path: string
  /** The URI that relative references start from; '' where none is said. */
  readonly base: string
  /** A place further down: only its path differs. */
  below(step: string): Place
}

export interface Documents {
  readonly root: Place
  /** True from draft 2019-09 on: other keywords count beside `$ref`. */
  readonly isModern: boolean
  /** The place as its own `$id` makes it. */
  enter(json: JsonObject, place: Place): Place
  find(reference: string, from: Place): Place | undefined
}

export type Read = (json: unknown, place: Place) => JsonSchema

const ANY_BASE = 'schema://here/'
const DEPTH_MAX = 200

export function createDocuments(
  root: unknown,
  references: readonly (readonly [string, unknown])[],
): Documents {
  const byUri = new Map<string, Place>()
  const add = (json: unknown, uri: string): Place => {
    const place = placeOf(json, '', uri)
    byUri.set(uri, place)
    index(json, place, byUri, 0)
    return place
  }
  for (const [name, json] of references) {
    const place = add(json, absolute(name, ''))
    // A reference may also be written as the bare name, whatever URI the schema that uses it has.
    byUri.set(name, place)
  }
  const first = add(root, absolute(idOf(root) ?? '', ''))
  const draft = isObject(root) ? String(root.$schema ?? '') : ''
  return {
    root: first,
    isModern: /2019-09|2020-12/.test(draft),
    enter: (json, place) => {
      const id = idOf(json)
      return id === undefined ? place : placeOf(place.json, place.path, absolute(id, place.base))
    },
    find(reference, from) {
      const hash = reference.indexOf('#')
      const uri = hash < 0 ? reference : reference.slice(0, hash)
      const fragment = hash < 0 ? '' : decodeURIComponent(reference.slice(hash + 1))
      const target = absolute(uri, from.base)
      const anchored = byUri.get(`${target}#${fragment}`)
      if (anchored !== undefined) return anchored
      const document = byUri.get(target) ?? byUri.get(uri) ?? (uri === '' ? first : undefined)
      return document === undefined ? undefined : pointed(document, fragment)
    },
  }
}

function placeOf(json: unknown, path: string, base: string): Place {
  return { json, path, base, below: (step) => placeOf(json, `${path || '#'}/${step}`, base) }
}

/** Notes every `$id` and anchor below. */
function index(json: unknown, place: Place, byUri: Map<string, Place>, depth: number): void {
  if (depth > DEPTH_MAX || typeof json !== 'object' || json === null) return
  let { base } = place
  if (isObject(json)) {
    const id = idOf(json)
    if (id !== undefined) {
      base = absolute(id, base)
      byUri.set(base, placeOf(json, place.path, base))
    }
    for (const key of ['$anchor', '$dynamicAnchor'])
      if (typeof json[key] === 'string')
        byUri.set(`${base.replace(/#.*$/, '')}#${json[key]}`, placeOf(json, place.path, base))
  }
  for (const [key, value] of Object.entries(json)) {
    if (key === 'enum' || key === 'const') continue
    index(value, placeOf(value, `${place.path || '#'}/${key}`, base), byUri, depth + 1)
  }
}

function pointed(document: Place, pointer: string): Place | undefined {
  if (pointer === '') return document
  if (!pointer.startsWith('/')) return undefined
  let json: unknown = document.json
  for (const step of pointer.slice(1).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof json !== 'object' || json === null || !Object.hasOwn(json, key)) return undefined
    json = (json as JsonObject)[key]
  }
  return placeOf(json, `#${pointer}`, document.base)
}

function idOf(json: unknown): string | undefined {
  if (!isObject(json)) return undefined
  const id = json.$id ?? json.id
  return typeof id === 'string' ? id : undefined
}

/** Resolved as URLs are; what is no URI stands below a base of no meaning. */
function absolute(uri: string, base: string): string {
  try {
    return new URL(uri, base === '' ? ANY_BASE : base).href.replace(/#$/, '')
  } catch {
    return uri
  }
}

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

export function invalid(place: Pick<Place, 'path'>, what: string): MillraceError {
  const path = place.path === '' ? '#' : place.path
  return new MillraceError('SCHEMA_INVALID', {
    message: `the JSON schema is invalid at ${path}: ${what}`,
    hint: 'schemas of other subjects come as references; nothing is fetched from the network',
    facts: { path },
  })
}
