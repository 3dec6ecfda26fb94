/**
 * Metrics in Prometheus's text format, made from the same status that `/status` tells, at the moment of the scrape.
 *
 * Names: `millrace_` first, base units, `_total` for what only grows. Labels are few: pipeline, table, split.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { OwnerStatus, PipelineStatus, SplitStatus, TableLateness } from './status.ts'

interface PipelineMetric {
  readonly name: string
  readonly help: string
  readonly counts?: true
  value(pipeline: PipelineStatus): number | undefined
}

interface SplitMetric {
  readonly name: string
  readonly help: string
  readonly counts?: true
  value(split: SplitStatus): number | undefined
}

interface TableMetric {
  readonly name: string
  readonly help: string
  value(lateness: TableLateness): number | undefined
}

const PIPELINE_METRICS: readonly PipelineMetric[] = [
  {
    name: 'millrace_pipeline_up',
    help: '1 while the pipeline runs, 0 while it does not.',
    value: ({ state }) => (state === 'running' ? 1 : 0),
  },
  {
    name: 'millrace_rows_read_total',
    help: 'Rows read from all sources, the dead ones included.',
    counts: true,
    value: (pipeline) => pipeline.rowsRead,
  },
  {
    name: 'millrace_rows_written_total',
    help: 'Rows given to sinks.',
    counts: true,
    value: (pipeline) => pipeline.rowsWritten,
  },
  {
    name: 'millrace_rows_late_total',
    help: 'Rows times windows that came after the window had fired.',
    counts: true,
    value: (pipeline) => pipeline.rowsLate,
  },
  {
    name: 'millrace_rows_dead_total',
    help: 'Rows that could not be read or computed, kept with their reason.',
    counts: true,
    value: (pipeline) => pipeline.rowsDead,
  },
  {
    name: 'millrace_rows_made_dead_total',
    help: 'Rows made of others, by a join or an aggregation, that could not be computed, kept with their reason.',
    counts: true,
    value: (pipeline) => pipeline.rowsMadeDead,
  },
  {
    name: 'millrace_pipeline_restarts_total',
    help: 'Times the pipeline was started again after a failure.',
    counts: true,
    value: (pipeline) => pipeline.restarts,
  },
  {
    name: 'millrace_lag_rows',
    help: 'Rows known to wait in the sources.',
    value: (pipeline) => pipeline.lag,
  },
  {
    name: 'millrace_watermark_seconds',
    help: 'The combined watermark, as event time in seconds since the Unix epoch.',
    value: (pipeline) => seconds(pipeline.watermarkMs),
  },
  {
    name: 'millrace_windows_open',
    help: 'Windows that hold rows and have not fired.',
    value: (pipeline) => pipeline.windows.open,
  },
  {
    name: 'millrace_state_resident_bytes',
    help: 'State in memory, of what may leave it.',
    value: (pipeline) => pipeline.spilled?.residentBytes,
  },
  {
    name: 'millrace_state_spilled_bytes',
    help: 'State that is in files because it has no room in memory.',
    value: (pipeline) => pipeline.spilled?.spilledBytes,
  },
  {
    name: 'millrace_state_waiting_rows',
    help: 'Rows that wait for state that is in files.',
    value: (pipeline) => pipeline.spilled?.waitingRows,
  },
  {
    name: 'millrace_state_swaps_total',
    help: 'Times a part of the state came back into memory.',
    counts: true,
    value: (pipeline) => pipeline.spilled?.swaps,
  },
  {
    name: 'millrace_state_pause_seconds_max',
    help: 'The longest that rows waited for one part of the state to come into memory or leave it, since the last restart.',
    value: (pipeline) => seconds(pipeline.spilled?.pauseMsMax),
  },
  {
    name: 'millrace_checkpoint_completed_timestamp_seconds',
    help: 'When the last checkpoint became durable, in seconds since the Unix epoch.',
    value: (pipeline) => seconds(pipeline.checkpoint?.completedMs),
  },
  {
    name: 'millrace_checkpoint_duration_seconds',
    help: 'How long the last checkpoint took.',
    value: (pipeline) => seconds(pipeline.checkpoint?.durationMs),
  },
  {
    name: 'millrace_checkpoint_size_bytes',
    help: 'Bytes that the last checkpoint wrote.',
    value: (pipeline) => pipeline.checkpoint?.bytes,
  },
]

const SPLIT_METRICS: readonly SplitMetric[] = [
  {
    name: 'millrace_split_lag_rows',
    help: 'Rows known to wait in one split.',
    value: (split) => split.lag,
  },
  {
    name: 'millrace_split_watermark_seconds',
    help: "One split's watermark, as event time in seconds since the Unix epoch.",
    value: (split) => seconds(split.watermarkMs),
  },
  {
    name: 'millrace_split_idle',
    help: '1 while the split is idle and does not hold the watermark back.',
    value: (split) => (split.isIdle ? 1 : 0),
  },
  {
    name: 'millrace_split_events_total',
    help: 'Events whose lateness was measured.',
    counts: true,
    value: (split) => split.lateness?.events,
  },
  {
    name: 'millrace_split_events_lost_total',
    help: 'Events whose window had fired when they came.',
    counts: true,
    value: (split) => split.lateness?.eventsLost,
  },
]

const TABLE_METRICS: readonly TableMetric[] = [
  {
    name: 'millrace_watermark_delay_seconds',
    help: "The delay of a table's watermark.",
    value: ({ delayMs }) => delayMs / 1000,
  },
  {
    name: 'millrace_watermark_complete_ratio',
    help: 'The share of the last events that the delay kept.',
    value: ({ recent }) => recent?.kept,
  },
  {
    name: 'millrace_watermark_promised_ratio',
    help: 'The share of events that the delay is to keep: time.complete, or what it kept at first.',
    value: ({ recent }) => recent?.promised,
  },
  {
    name: 'millrace_watermark_keeping_delay_seconds',
    help: 'The delay that would have kept the promised share of the last events.',
    value: ({ recent }) => seconds(recent?.keepingMs),
  },
  {
    name: 'millrace_watermark_drifting',
    help: '1 while the delay keeps less than was promised.',
    value: ({ isDrifting }) => (isDrifting ? 1 : 0),
  },
]

/** What has been measured of lateness, as a few points of its distribution. */
const DELAYS_METRIC = {
  name: 'millrace_split_keeping_delay_seconds',
  help: "The delay that would have kept this share of one split's events.",
}

/** Gauges that the library names like counters, which promtool refuses; each has a per-type series that stays. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

export interface Metrics {
  readonly contentType: string
  /** The text of one scrape. */
  text(): Promise<string>
}

/** Process metrics come with it (CPU, memory, event loop, garbage collection), under Prometheus's usual names. */
export function createMetrics(status: () => OwnerStatus): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  for (const metric of PIPELINE_METRICS) {
    defineMetric(registry, metric, ['pipeline'], (set) => {
      for (const pipeline of status().pipelines)
        set({ pipeline: pipeline.name }, metric.value(pipeline))
    })
  }
  for (const metric of SPLIT_METRICS) {
    defineMetric(registry, metric, ['pipeline', 'table', 'split'], (set) => {
      for (const pipeline of status().pipelines)
        for (const split of pipeline.splits)
          set(
            { pipeline: pipeline.name, table: split.table, split: split.split },
            metric.value(split),
          )
    })
  }
  for (const metric of TABLE_METRICS) {
    defineMetric(registry, metric, ['pipeline', 'table'], (set) => {
      for (const pipeline of status().pipelines)
        for (const lateness of pipeline.lateness)
          set({ pipeline: pipeline.name, table: lateness.table }, metric.value(lateness))
    })
  }
  defineMetric(registry, DELAYS_METRIC, ['pipeline', 'table', 'split', 'share'], (set) => {
    for (const { name, splits } of status().pipelines)
      for (const { table, split, lateness } of splits)
        for (const { share, delayMs } of lateness?.delays ?? [])
          set({ pipeline: name, table, split, share: `${share}` }, delayMs / 1000)
  })
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

type Setter = (labels: Record<string, string>, value: number | undefined) => void

function defineMetric(
  registry: Registry,
  { name, help, counts }: { name: string; help: string; counts?: true },
  labelNames: string[],
  collect: (set: Setter) => void,
): void {
  const shared = { name, help, labelNames, registers: [registry] }
  if (counts) {
    new Counter({
      ...shared,
      // What counts is the engine; this only tells it: emptied and set at each scrape.
      collect() {
        this.reset()
        collect((labels, value) => value !== undefined && this.inc(labels, value))
      },
    })
    return
  }
  new Gauge({
    ...shared,
    collect() {
      this.reset()
      collect((labels, value) => value !== undefined && this.set(labels, value))
    },
  })
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
