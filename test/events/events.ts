/** Real events: a week of earthquakes (shipped as an example), a day of Wikipedia edits (beside the repository, if it is there). */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export const EARTHQUAKES = 'examples/earthquakes/events.jsonl'
export const WIKIPEDIA = '../shared/data/wikiticker-2015-09-12-repaired.json.gz'

export function earthquakeLines(): string[] {
  return readFileSync(EARTHQUAKES, 'utf8').trimEnd().split('\n')
}

/** Undefined where the data set is not at hand: its text may not be shipped. */
export function wikipediaLines(): string[] | undefined {
  if (!existsSync(WIKIPEDIA)) return undefined
  return gunzipSync(readFileSync(WIKIPEDIA)).toString('utf8').trimEnd().split('\n')
}
