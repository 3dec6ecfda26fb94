/** Why a row can't be computed. Thrown by row functions, caught by the loop over rows: it never leaves this room. */
export class RowFailure extends Error {
  override readonly name = 'RowFailure'
}

export function failRow(reason: string): never {
  throw new RowFailure(reason)
}
