/** What a cell holds, as JavaScript: see cells.ts for which type is which. */
export type Value = null | boolean | bigint | number | string | Uint8Array | readonly Value[]
