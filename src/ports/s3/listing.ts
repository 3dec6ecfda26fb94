/** What ListObjectsV2 answers, with keys URL-encoded (`encoding-type=url`), so that they can hold anything. */
import type { ObjectStat } from '../objects.ts'

export function entriesOf(text: string): readonly ObjectStat[] {
  return [...text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(([, entry]) => ({
    key: decodeURIComponent((textOf(entry!, 'Key') ?? '').replaceAll('+', '%20')),
    bytes: Number(textOf(entry!, 'Size') ?? 0),
    modifiedMs: Date.parse(textOf(entry!, 'LastModified') ?? '') || 0,
  }))
}

/** The text of the first element of a name; undefined if there is none. */
export function textOf(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return found
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#34;', '"')
    .replaceAll('&amp;', '&')
}
