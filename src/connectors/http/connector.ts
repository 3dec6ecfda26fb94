/** HTTP services as tables: `WITH ('connector' = 'http', 'url' = 'https://hooks.example/alerts')`. */
import type { Connector } from '../contract/connector.ts'
import { keyOf, openHttpLookup } from './lookup.ts'
import { HTTP_OPTIONS } from './options.ts'
import { guaranteeOf, openHttpSink } from './sink.ts'

export const http: Connector = {
  name: 'http',
  summary:
    'An HTTP service: each row a request, prepared with the checkpoint and sent at its commit; or asked for rows by key, in joins',
  options: HTTP_OPTIONS,
  metadata: {},
  lookup: { keyOf, open: openHttpLookup },
  sink: {
    guarantee: 'at-least-once',
    guaranteeOf,
    modes: () => ['append'],
    open: openHttpSink,
  },
}
