/** How much of each engine a load takes, and what that costs: one function an engine, all figures from the book. */
import type { Book } from '../cost/book.ts'
import { type CostLine, figure, hoursLine, lineOf } from '../cost/lines.ts'
import { GIB, type Load, monthGb } from '../plan/load.ts'
import type { Sized } from './sized.ts'
import { type Unit, unitsFor } from './units.ts'

export interface EngineLoad extends Load {
  /** Seconds between two runs of what is scheduled. */
  readonly intervalSeconds: number
  /** The engine's machines hold the log too. */
  readonly holdsLog: boolean
}

export interface SizedEngine extends Sized {
  /** The share of its interval that a scheduled run takes. */
  readonly runShare?: number
}

export const ENGINE_SIZES: Readonly<Record<string, (load: EngineLoad, book: Book) => SizedEngine>> =
  {
    'embedded-single': (load, book) => sizeEmbedded(1, load, book),
    'embedded-standby': (load, book) => sizeEmbedded(2, load, book),
    flink: sizeFlink,
    'flink-aws': sizeFlinkAws,
    'flink-confluent': sizeFlinkConfluent,
    spark: sizeSpark,
    databricks: sizeDatabricks,
    ksqldb: sizeKsqldb,
    dataflow: sizeDataflow,
    'embedded-scheduled': sizeEmbeddedScheduled,
    'spark-scheduled': sizeSparkScheduled,
    'databricks-scheduled': sizeDatabricksScheduled,
    'dataflow-scheduled': sizeDataflowScheduled,
  }

function sizeEmbedded(machines: number, load: EngineLoad, book: Book): SizedEngine {
  const standby = machines > 1 ? ', one of them the standby' : ''
  return {
    units: [
      { name: 'machines', count: machines, binding: `one core carries it${standby}` },
      { name: 'cores used', ...embeddedCores(load, book) },
    ],
    standing: [],
    byUse: [hoursLine(book, 'compute', 'ec2-m7g-large', machines, `machines${standby}`)],
    ...embeddedExceeds(load.eventsPeak, load.inPeak, book),
  }
}

function embeddedCores(load: Load, book: Book): Omit<Unit, 'name'> {
  return unitsFor('cores', [
    {
      what: 'events at the peak',
      needed: load.eventsPeak,
      each: book.limit('embedded-events'),
      unit: '/s',
    },
    { what: 'peak ingress', needed: load.inPeak, each: book.limit('embedded-in'), unit: 'MB/s' },
  ])
}

function embeddedExceeds(events: number, mb: number, book: Book): { exceeds?: string } {
  const eventsMax = book.limit('embedded-events')
  const mbMax = book.limit('embedded-in')
  if (events > eventsMax)
    return { exceeds: `${figure(events)} events/s, ${figure(eventsMax)} planned on one core` }
  if (mb > mbMax) return { exceeds: `${figure(mb)} MB/s, ${figure(mbMax)} planned on one core` }
  return {}
}

/** Cores of a JVM engine that must go on at the peak. */
function jvmCores(load: Load, book: Book): Unit {
  const each = book.limit('jvm-core-in')
  const demand = { what: 'peak ingress', needed: load.inPeak, each, unit: 'MB/s' }
  return unitsFor('parallelism', [demand], book.limit('jvm-cores-least'))
}

function sizeFlink(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const workers = Math.ceil(cores.count / book.limit('machine-cores'))
  // A second job manager, and a task manager more than are needed: one zone may go.
  const machines = workers + 1 + 2
  const most = book.limit('flink-max-parallelism')
  return {
    units: [
      cores,
      {
        name: 'machines',
        count: machines,
        binding: `${workers} task managers and one spare, 2 job managers`,
      },
    ],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'ec2-m7g-large', machines, 'machines'),
      ...stateVolume(load, book),
    ],
    ...(cores.count > most
      ? { exceeds: `parallelism ${cores.count}, ${most} by default at most` }
      : {}),
  }
}

function stateVolume(load: EngineLoad, book: Book): CostLine[] {
  if (load.state === 0) return []
  return [
    lineOf(book, 'storage', 'ebs-gp3', load.state, `${figure(load.state)} GB of state`),
    lineOf(book, 'storage', 's3-standard', load.state * 2, 'two checkpoints of it'),
  ]
}

function sizeFlinkAws(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const extra = book.limit('flink-aws-orchestration')
  const beyond = load.state - cores.count * book.limit('flink-aws-state-included')
  const most = book.limit('flink-aws-kpu-max')
  return {
    units: [
      cores,
      {
        name: 'KPU',
        count: cores.count + extra,
        binding: `${cores.binding}; ${extra} for orchestration`,
      },
    ],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'flink-aws-kpu', cores.count + extra, 'KPU'),
      ...(beyond > 0
        ? [
            lineOf(
              book,
              'storage',
              'flink-aws-state',
              beyond,
              `${figure(load.state)} GB of state, 50 GB a KPU included`,
            ),
          ]
        : []),
      ...(load.state > 0
        ? [lineOf(book, 'storage', 'flink-aws-snapshot', load.state, 'one snapshot of the state')]
        : []),
    ],
    ...(cores.count > most ? { exceeds: `${cores.count} KPU, ${most} by default at most` } : {}),
  }
}

function sizeFlinkConfluent(load: EngineLoad, book: Book): SizedEngine {
  const each = book.limit('jvm-core-in')
  const cfus = (mb: number) =>
    unitsFor('CFU', [{ what: 'ingress', needed: mb, each, unit: 'MB/s' }])
  const peak = cfus(load.inPeak)
  const most = book.limit('flink-confluent-cfu-max')
  return {
    units: [{ ...peak, name: 'CFU at the peak' }],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'flink-confluent-cfu', cfus(load.in).count, 'CFU in the mean'),
    ],
    ...(peak.count > most ? { exceeds: `${peak.count} CFU, a pool has ${most}` } : {}),
  }
}

function sizeSpark(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const driver = book.limit('spark-driver-cores')
  const memory = book.limit('spark-memory-a-core')
  const all = cores.count + driver
  return {
    units: [
      cores,
      { name: 'cores', count: all, binding: `${cores.binding}; ${driver} for the driver` },
    ],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'emr-vcpu', all, 'vCPU'),
      hoursLine(book, 'compute', 'emr-memory', all * memory, 'GB of memory'),
    ],
  }
}

function sizeDatabricks(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const all = cores.count + book.limit('spark-driver-cores')
  const dbu = all * book.limit('databricks-dbu-a-core')
  const machines = Math.ceil(all / book.limit('machine-cores'))
  return {
    units: [cores, { name: 'cores', count: all, binding: cores.binding }],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'databricks-dbu', dbu, 'DBU an hour'),
      hoursLine(book, 'compute', 'ec2-m7g-large', machines, 'machines'),
    ],
  }
}

function sizeKsqldb(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const machines = Math.max(2, Math.ceil(cores.count / book.limit('machine-cores')) + 1)
  return {
    units: [cores, { name: 'servers', count: machines, binding: `${cores.binding}; one may fail` }],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'ec2-m7g-large', machines, 'servers'),
      ...stateVolume(load, book),
    ],
  }
}

function sizeDataflow(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const vcpu = book.limit('dataflow-worker-vcpu')
  const workers = Math.ceil(cores.count / vcpu)
  const gib = (monthGb(load.in, book.limit('hours-a-month')) * 1e9) / GIB
  return {
    units: [
      cores,
      { name: 'workers', count: workers, binding: `${cores.binding}; ${vcpu} vCPU a worker` },
    ],
    standing: [],
    byUse: [
      hoursLine(book, 'compute', 'dataflow-vcpu', workers * vcpu, 'vCPU'),
      hoursLine(
        book,
        'compute',
        'dataflow-memory',
        workers * book.limit('dataflow-worker-memory'),
        'GiB of memory',
      ),
      lineOf(
        book,
        'compute',
        'dataflow-engine',
        gib,
        `${figure(load.in)} MB/s through the Streaming Engine`,
      ),
    ],
  }
}

function runsOf(load: EngineLoad, book: Book): number {
  return (book.limit('hours-a-month') * 3600) / load.intervalSeconds
}

function sizeEmbeddedScheduled(load: EngineLoad, book: Book): SizedEngine {
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

function sizeSparkScheduled(load: EngineLoad, book: Book): SizedEngine {
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

function sizeDatabricksScheduled(load: EngineLoad, book: Book): SizedEngine {
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

function sizeDataflowScheduled(load: EngineLoad, book: Book): SizedEngine {
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
