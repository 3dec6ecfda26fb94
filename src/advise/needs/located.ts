/** YAML with the place of everything in it: a value by its path, or the nearest thing above that is written. */
import { type Document, isMap, isNode, isPair, LineCounter, type Pair, parseDocument } from 'yaml'
import { findingAt, type NeedsFinding, type Place } from './findings.ts'

export type Path = readonly PropertyKey[]

export interface Located {
  readonly file: string
  readonly text: string
  readonly value: unknown
  /** Of the value at `path`; where there is none, of the key above it. */
  placeOf(path: Path): Place
  /** Of a key of the map at `path`. */
  placeOfKey(path: Path, key: string): Place
}

const ALIASES_MAX = 100

/** Reads YAML or JSON; findings tell what is no YAML. */
export function locate(
  file: string,
  text: string,
  code: string,
): { readonly located?: Located; readonly findings: readonly NeedsFinding[] } {
  const document = parseDocument(text, { lineCounter: new LineCounter(), prettyErrors: false })
  const findings = [...document.errors, ...document.warnings].map(({ message, pos }) =>
    findingAt(
      { file, text },
      { start: pos[0], end: pos[1] },
      {
        severity: 'error',
        message: `it is no YAML here: ${message}`,
        hint: 'see examples/needs for files that are; JSON is accepted too',
        code,
      },
    ),
  )
  if (findings.length > 0) return { findings }
  const refuse = (message: string, hint: string) =>
    findingAt({ file, text }, { start: 0, end: 1 }, { severity: 'error', message, hint, code })
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX })
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    const hint = 'write what they stand for'
    return { findings: [refuse('its aliases stand for more than a file of needs holds', hint)] }
  }
  const placeOf = (path: Path) => placeIn(document, path)
  const placeOfKey = (path: Path, key: string) => {
    const map = path.length === 0 ? document.contents : document.getIn(path, true)
    const pair = isMap(map) ? map.items.find((each) => keyOf(each) === key) : undefined
    return (pair === undefined ? undefined : rangeOf(pair.key)) ?? placeOf(path)
  }
  return { located: { file, text, value, placeOf, placeOfKey }, findings }
}

function placeIn(document: Document, path: Path): Place {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    // Of a whole map only its first key is marked: the rest of it may be right.
    const found = isMap(node) && node.items[0] !== undefined ? node.items[0].key : node
    const place = rangeOf(found)
    if (place !== undefined) return place
  }
  return { start: 0, end: 1 }
}

function rangeOf(node: unknown): Place | undefined {
  if (!isNode(node) || node.range == null) return undefined
  return { start: node.range[0], end: node.range[1] }
}

function keyOf(pair: Pair): unknown {
  if (!isPair(pair)) return undefined
  return isNode(pair.key) ? pair.key.toJSON() : pair.key
}
