/** Files as tables: a record a line, read bounded or followed. Names and options are Flink's filesystem connector's. */
import type { Connector } from '../contract/connector.ts'
import { formatMetadata, formatMode, formatOptions } from '../formats.ts'
import { openFilesystemSink } from './sink.ts'
import { openFilesystemSource } from './source.ts'

export const filesystem: Connector = {
  name: 'filesystem',
  summary: 'Files of records that are lines: a file, or all files of a directory',
  options: [
    {
      name: 'path',
      kind: 'string',
      required: true,
      summary:
        "A file or directory: relative to the project's folder, 'file:///...', or 's3://bucket/path'",
    },
    ...formatOptions('format', { required: true, textOnly: true }),
    {
      name: 'source.monitor-interval',
      kind: 'duration',
      required: false,
      summary:
        'Follow the files: look for new lines and files this often. Without it the table is bounded',
    },
  ],
  metadata: {},
  metadataOf: formatMetadata,
  source: {
    replay: 'exact',
    mode: formatMode,
    bounded: (options) => options['source.monitor-interval'] === undefined,
    open: async (request) => openFilesystemSource(request),
  },
  sink: {
    guarantee: 'exactly-once',
    modes: (options) => [formatMode(options)],
    open: async (request) => openFilesystemSink(request),
  },
}
