/** What is asked for several times and computed once: things that are data, each by its number in the order of first appearance. */
export interface EachOnce<Thing> {
  readonly all: readonly Thing[]
  /** The number of what equals `thing`; it is added if there is none. */
  numberOf(thing: Thing): number
}

export function eachOnce<Thing>(): EachOnce<Thing> {
  const all: Thing[] = []
  const numbers = new Map<string, number>()
  return {
    all,
    numberOf(thing) {
      const text = JSON.stringify(thing)
      const known = numbers.get(text)
      if (known !== undefined) return known
      numbers.set(text, all.length)
      return all.push(thing) - 1
    },
  }
}
