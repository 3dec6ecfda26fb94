/** "Did you mean": the known name nearest to a written one. */

/** The candidate nearest to `written` by edits, ignoring case; undefined if none is near enough to be meant. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  const wanted = written.toLowerCase()
  const limit = wanted.length <= 3 ? 1 : Math.max(2, Math.floor(wanted.length / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** 'did you mean `x`?', or else the candidates listed. */
export function suggestion(written: string, candidates: readonly string[], what: string): string {
  const near = nearest(written, candidates)
  if (near !== undefined) return `did you mean \`${near}\`?`
  if (candidates.length === 0) return `there are no ${what} here`
  return `${what}: ${listed(candidates, 12)}`
}

/** 'a, b, c and 4 more'. */
export function listed(names: readonly string[], countMax: number): string {
  if (names.length <= countMax) return names.join(', ')
  return `${names.slice(0, countMax).join(', ')} and ${names.length - countMax} more`
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`; `limit` if they are as many or more.
 *
 * @see Damerau, "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return Math.min(limit, previous[b.length]!)
}
