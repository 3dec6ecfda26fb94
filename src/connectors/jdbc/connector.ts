/** Tables of PostgreSQL, by Flink's name for such: `WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop', 'table-name' = 'customers')`. */
import type { Connector } from '../contract/connector.ts'
import { openTableLookup } from './lookup.ts'
import { JDBC_OPTIONS } from './options.ts'

export const jdbc: Connector = {
  name: 'jdbc',
  summary: 'A table of PostgreSQL that is asked for rows by key, in joins',
  options: JDBC_OPTIONS,
  metadata: {},
  lookup: { open: openTableLookup },
}
