/**
 * Makes `examples/earthquakes/events.jsonl` from USGS's GeoJSON (public domain): one line an earthquake, in the order in which
 * the agency last updated it, which is how a follower of its feed would see them.
 *
 *   node scripts/make-earthquakes.ts usgs-earthquakes-2018-02.json.gz
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

interface Feature {
  readonly id: string
  readonly properties: {
    readonly mag: number | null
    readonly place: string | null
    readonly time: number
    readonly updated: number
    readonly magType: string | null
  }
  readonly geometry: { readonly coordinates: readonly [number, number, number | null] }
}

const [input] = process.argv.slice(2)
if (input === undefined) throw new Error('usage: node scripts/make-earthquakes.ts FILE.json.gz')
const { features } = JSON.parse(gunzipSync(readFileSync(input)).toString('utf8')) as {
  features: Feature[]
}
features.sort(
  (left, right) =>
    left.properties.updated - right.properties.updated || (left.id < right.id ? -1 : 1),
)
const lines = features.map(({ id, properties, geometry }) =>
  JSON.stringify({
    id,
    magnitude: properties.mag,
    scale: properties.magType,
    place: properties.place,
    region: properties.place?.split(', ').at(-1) ?? null,
    depth_km: geometry.coordinates[2],
    time: new Date(properties.time).toISOString(),
    updated: new Date(properties.updated).toISOString(),
  }),
)
writeFileSync('examples/earthquakes/events.jsonl', `${lines.join('\n')}\n`)
