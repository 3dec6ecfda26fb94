/** Windows over processing time: those over event time, whose watermark is the clock. */
import { WATERMARK_MAX } from '../../time/windows.ts'
import type { Operator } from '../operator.ts'

/** `windows`, told of time by the clock alone. */
export function byClock(windows: Operator): Operator {
  return {
    name: windows.name,
    onBatch: (batch, emit, input) => windows.onBatch(batch, emit, input),
    onWatermark() {},
    onClock: (nowUs, emit) => windows.onWatermark(nowUs, emit),
    onEnd: (emit) => windows.onWatermark(WATERMARK_MAX, emit),
    snapshot: (writer) => windows.snapshot(writer),
    restore: (reader) => windows.restore(reader),
    dispose: () => windows.dispose(),
    ...(windows.progress === undefined ? {} : { progress: () => windows.progress!() }),
  }
}
