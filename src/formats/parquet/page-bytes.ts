/** The bytes of one page while it fills: a buffer that doubles, seen as bytes, words and doubles. */
export interface PageBytes {
  u8: Uint8Array
  u32: Uint32Array
  f32: Float32Array
  f64: Float64Array
  /** Bytes in use. */
  length: number
}

export function pageBytes(capacity = 4096): PageBytes {
  return { ...views(new ArrayBuffer(capacity)), length: 0 }
}

/** Makes room for `more` bytes past `length`. */
export function reserve(page: PageBytes, more: number): void {
  const needed = page.length + more
  if (needed <= page.u8.length) return
  let capacity = page.u8.length
  while (capacity < needed) capacity *= 2
  const old = page.u8
  Object.assign(page, views(new ArrayBuffer(capacity)))
  page.u8.set(old)
}

function views(buffer: ArrayBuffer): Omit<PageBytes, 'length'> {
  return {
    u8: new Uint8Array(buffer),
    u32: new Uint32Array(buffer),
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
  }
}
