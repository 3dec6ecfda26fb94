/** How much of each engine a load takes, and what that costs: one function an engine, all figures from the book. */
import type { Book } from '../cost/book.ts'
import { type CostLine, figure, hoursLine, lineOf } from '../cost/lines.ts'
import { GIB, type Load, monthGb } from '../plan/load.ts'
import { type EngineLoad, embeddedExceeds, type SizedEngine } from './engine-load.ts'
import {
  sizeDatabricksScheduled,
  sizeDataflowScheduled,
  sizeEmbeddedScheduled,
  sizeGlueScheduled,
  sizeSparkScheduled,
} from './scheduled.ts'
import { type Unit, unitsFor } from './units.ts'

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
    glue: sizeGlue,
    'embedded-scheduled': sizeEmbeddedScheduled,
    'spark-scheduled': sizeSparkScheduled,
    'databricks-scheduled': sizeDatabricksScheduled,
    'glue-scheduled': sizeGlueScheduled,
    'dataflow-scheduled': sizeDataflowScheduled,
  }

function sizeEmbedded(machines: number, load: EngineLoad, book: Book): SizedEngine {
  const standby = machines > 1 ? ', one of them the standby' : ''
  return {
    units: [
      { name: 'machines', count: machines, binding: `one core carries it${standby}` },
      { name: 'cores', ...embeddedCores(load, book) },
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

function sizeGlue(load: EngineLoad, book: Book): SizedEngine {
  const cores = jvmCores(load, book)
  const all = cores.count + book.limit('spark-driver-cores')
  const dpus = Math.max(book.limit('glue-dpu-least'), Math.ceil(all / book.limit('glue-dpu-cores')))
  return {
    units: [cores, { name: 'DPU', count: dpus, binding: cores.binding }],
    standing: [],
    byUse: [hoursLine(book, 'compute', 'glue-dpu', dpus, 'DPU')],
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
