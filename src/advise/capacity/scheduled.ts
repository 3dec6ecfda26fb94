/** How much a job on a timer takes: core hours for the events of a month, and the starts of its runs. */
import type { Book } from '../cost/book.ts'
import { figure, lineOf } from '../cost/lines.ts'
import { GIB, monthGb } from '../plan/load.ts'
import { type EngineLoad, embeddedExceeds, type SizedEngine } from './engine-load.ts'
import { unitsFor } from './units.ts'

function runsOf(load: EngineLoad, book: Book): number {
  return (book.limit('hours-a-month') * 3600) / load.intervalSeconds
}

export function sizeEmbeddedScheduled(load: EngineLoad, book: Book): SizedEngine {
  const share = Math.max(
    load.events / book.limit('embedded-events'),
    load.in / book.limit('embedded-in'),
  )
  const runs = runsOf(load, book)
  const working = share * book.limit('hours-a-month')
  const hours = working + (runs * book.limit('embedded-run-start')) / 60
  const how = `${figure(runs)} runs, ${figure(working)} h of work and ${book.limit('embedded-run-start')} min to start each`
  const allMonth = book.limit('hours-a-month')
  return {
    units: [{ name: 'machines', count: 1, binding: 'one core, while a run lasts' }],
    standing: [],
    byUse: load.holdsLog
      ? [
          lineOf(
            book,
            'compute',
            'ec2-m7g-large',
            allMonth,
            'the machine of the log runs all month',
          ),
        ]
      : [lineOf(book, 'compute', 'ec2-m7g-large', Math.min(hours, allMonth), how)],
    runShare: share,
    ...embeddedExceeds(load.events, load.in, book),
  }
}

/** Core hours that a month's events take, and the cores that finish within half an interval. */
function batchCores(load: EngineLoad, book: Book, startMinutes: number, driver: number) {
  const each = book.limit('jvm-core-in') * book.limit('schedule-share-max')
  const cores = unitsFor(
    'cores of a run',
    [{ what: 'mean ingress, done in half of the interval', needed: load.in, each, unit: 'MB/s' }],
    book.limit('jvm-cores-least'),
  )
  const work = (load.in / book.limit('jvm-core-in')) * book.limit('hours-a-month')
  const runs = runsOf(load, book)
  const started = ((runs * startMinutes) / 60) * (cores.count + driver)
  const driving = (work / cores.count) * driver
  const how = `${figure(runs)} runs, ${figure(work)} core hours of work, the rest starting and driving`
  return { cores, hours: work + driving + started, how }
}

export function sizeSparkScheduled(load: EngineLoad, book: Book): SizedEngine {
  const start = book.limit('spark-run-start')
  const { cores, hours, how } = batchCores(load, book, start, book.limit('spark-driver-cores'))
  const memory = hours * book.limit('spark-memory-a-core')
  return {
    units: [cores],
    standing: [],
    byUse: [
      lineOf(book, 'compute', 'emr-vcpu', hours, how),
      lineOf(
        book,
        'compute',
        'emr-memory',
        memory,
        `${book.limit('spark-memory-a-core')} GB a core`,
      ),
    ],
  }
}

export function sizeDatabricksScheduled(load: EngineLoad, book: Book): SizedEngine {
  const start = book.limit('spark-run-start')
  const { cores, hours, how } = batchCores(load, book, start, book.limit('spark-driver-cores'))
  const dbu = hours * book.limit('databricks-dbu-a-core')
  return {
    units: [cores],
    standing: [],
    byUse: [
      lineOf(book, 'compute', 'databricks-dbu', dbu, how),
      lineOf(
        book,
        'compute',
        'ec2-m7g-large',
        hours / book.limit('machine-cores'),
        'the same on machines',
      ),
    ],
  }
}

export function sizeDataflowScheduled(load: EngineLoad, book: Book): SizedEngine {
  const { cores, hours, how } = batchCores(load, book, book.limit('spark-run-start'), 0)
  const gib = (monthGb(load.in, book.limit('hours-a-month')) * 1e9) / GIB
  const memoryEach = book.limit('dataflow-worker-memory') / book.limit('dataflow-worker-vcpu')
  return {
    units: [cores],
    standing: [],
    byUse: [
      lineOf(book, 'compute', 'dataflow-batch-vcpu', hours, how),
      lineOf(book, 'compute', 'dataflow-memory', hours * memoryEach, `${memoryEach} GiB a vCPU`),
      lineOf(book, 'compute', 'dataflow-shuffle', gib, `${figure(load.in)} MB/s shuffled`),
    ],
  }
}

export function sizeGlueScheduled(load: EngineLoad, book: Book): SizedEngine {
  const start = book.limit('spark-run-start')
  const { cores, hours, how } = batchCores(load, book, start, book.limit('spark-driver-cores'))
  const each = book.limit('glue-dpu-cores')
  const count = Math.max(book.limit('glue-dpu-least'), Math.ceil(cores.count / each))
  return {
    units: [cores, { name: 'DPU of a run', count, binding: cores.binding }],
    standing: [],
    byUse: [lineOf(book, 'compute', 'glue-dpu', hours / each, how)],
  }
}
