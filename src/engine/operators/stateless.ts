/** What operators without state share: they only take batches. */

import type { Batch } from '../../data/batch.ts'
import type { Emit, Operator } from '../operator.ts'

export function stateless(name: string, onBatch: (batch: Batch, emit: Emit) => void): Operator {
  return {
    name,
    onBatch,
    onWatermark() {},
    onEnd() {},
    snapshot() {},
    restore() {},
    dispose() {},
  }
}
