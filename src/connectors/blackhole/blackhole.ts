/** Takes every row and keeps none: for benchmarks, and for queries that are run for their side outputs. */
import type { Connector } from '../contract/connector.ts'
import type { Sink } from '../contract/sink.ts'

export const blackhole: Connector = {
  name: 'blackhole',
  summary: 'Takes every row and keeps none',
  options: [],
  metadata: {},
  sink: {
    // Nothing is kept, so nothing can come twice.
    guarantee: 'exactly-once',
    modes: () => ['retract', 'upsert', 'append'],
    open: async () => blackholeSink,
  },
}

const blackholeSink: Sink = {
  guarantee: 'exactly-once',
  prepareTable: async () => {},
  openWriter: async () => ({
    write() {},
    full: false,
    drain: async () => {},
    prepare: async () => undefined,
    close: async () => {},
  }),
  openCommitter: async () => ({
    commit: async () => ({ kind: 'committed', already: false }),
    lastCommitted: async () => undefined,
    close: async () => {},
  }),
}
