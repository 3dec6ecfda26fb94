/** The connector 'delta': Delta Lake tables, written exactly once and scanned at a version. */
import type { Connector } from '../contract/connector.ts'
import { DELTA_OPTIONS } from './options.ts'
import { openDeltaSink } from './sink.ts'
import { openDeltaSource } from './source.ts'

export const delta: Connector = {
  name: 'delta',
  summary: 'Delta Lake tables: append or upsert by key, exactly once; bounded scan of a version',
  options: DELTA_OPTIONS,
  metadata: {},
  source: {
    replay: 'exact',
    bounded: () => true,
    open: openDeltaSource,
  },
  sink: {
    guarantee: 'exactly-once',
    modes: (_options, hasPrimaryKey) => (hasPrimaryKey ? ['upsert', 'append'] : ['append']),
    open: openDeltaSink,
  },
}
