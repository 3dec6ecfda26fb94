/** Files as tables: JSON lines, read bounded or followed. Names and options are Flink's filesystem connector's. */
import type { Connector } from '../contract/connector.ts'
import { openFilesystemSink } from './sink.ts'
import { openFilesystemSource } from './source.ts'

export const filesystem: Connector = {
  name: 'filesystem',
  summary: 'Files of JSON lines: a file, or all files of a directory',
  options: [
    {
      name: 'path',
      kind: 'string',
      required: true,
      summary: "A file or a directory; relative to the project's folder, or 'file:///...'",
    },
    {
      name: 'format',
      kind: 'enum',
      values: ['json'],
      required: true,
      summary: 'What a line is',
    },
    {
      name: 'json.timestamp-format.standard',
      kind: 'enum',
      values: ['SQL', 'ISO-8601'],
      required: false,
      fallback: 'SQL',
      summary: "How times are written: '2026-01-31 23:59:59.5' or '2026-01-31T23:59:59.5'",
    },
    {
      name: 'source.monitor-interval',
      kind: 'duration',
      required: false,
      summary:
        'Follow the files: look for new lines and files this often. Without it the table is bounded',
    },
  ],
  metadata: {},
  source: {
    replay: 'exact',
    bounded: (options) => options['source.monitor-interval'] === undefined,
    open: async (request) => openFilesystemSource(request),
  },
  sink: {
    guarantee: 'exactly-once',
    modes: () => ['append'],
    open: async (request) => openFilesystemSink(request),
  },
}
