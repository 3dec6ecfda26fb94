/** Pairs of schemas, and which way data can be read across them: what the cases of schema compatibility are made of. */

/** 'backward': the new schema reads old data; 'forward': the old one reads new data. */
export type Reads = 'both' | 'backward' | 'forward' | 'none'

export interface Pair {
  readonly name: string
  readonly old: unknown
  readonly new: unknown
  readonly reads: Reads
  /** The rule that decides, in the words of the specification or by the vendor's name for it. */
  readonly reason: string
  readonly references?: readonly { readonly name: string; readonly schema: string }[]
}

export function pair(
  name: string,
  old: unknown,
  next: unknown,
  reads: Reads,
  reason: string,
  references?: Pair['references'],
): Pair {
  return {
    name,
    old,
    new: next,
    reads,
    reason,
    ...(references === undefined ? {} : { references }),
  }
}
