/** How much of each platform a load takes, and what that costs: one function a platform, all figures from the book. */
import type { Book } from '../cost/book.ts'
import { figure, hoursLine, lineOf } from '../cost/lines.ts'
import { GIB, keptGb, monthGb, TIB } from '../plan/load.ts'
import { sizeKafka, sizeMsk, sizeMskExpress, sizeMskServerless } from './kafka.ts'
import { type LogLoad, partitionsFor, type Size, type Sized } from './sized.ts'
import { type Unit, unitsFor } from './units.ts'

/** By the `sizing` of a candidate. */
export const PLATFORM_SIZES: Readonly<Record<string, Size>> = {
  files: sizeFiles,
  embedded: sizeEmbeddedLog,
  kafka: sizeKafka,
  msk: sizeMsk,
  'msk-express': sizeMskExpress,
  'msk-serverless': sizeMskServerless,
  'confluent-basic': (load, book) => sizeConfluent('basic', load, book),
  'confluent-standard': (load, book) => sizeConfluent('standard', load, book),
  'confluent-enterprise': (load, book) => sizeConfluent('enterprise', load, book),
  'event-hubs': sizeEventHubs,
  'event-hubs-premium': sizeEventHubsPremium,
  pulsar: sizePulsar,
  'kinesis-provisioned': sizeKinesisProvisioned,
  'kinesis-on-demand': sizeKinesisOnDemand,
  pubsub: sizePubSub,
}

function sizeFiles(load: LogLoad, book: Book): Sized {
  const files = book.limit('landing-files-a-minute') * 60 * book.limit('hours-a-month')
  const kept = keptGb(load.in, load.days)
  return {
    units: [],
    standing: [],
    byUse: [
      lineOf(
        book,
        'requests',
        's3-put',
        files / 1000,
        `${figure(files)} files that producers write`,
      ),
      lineOf(
        book,
        'storage',
        's3-standard',
        kept,
        `${figure(load.in)} MB/s for ${figure(load.days)} d`,
      ),
    ],
  }
}

/** Its machine is the engine's; only the volume is its own. */
function sizeEmbeddedLog(load: LogLoad, book: Book): Sized {
  const kept = keptGb(load.in, load.days) / book.limit('kafka-disk-use')
  const how = `${figure(load.in)} MB/s for ${figure(load.days)} d, filled to ${book.limit('kafka-disk-use') * 100} %`
  return { units: [], standing: [], byUse: [lineOf(book, 'storage', 'ebs-gp3', kept, how)] }
}

function sizePulsar(load: LogLoad, book: Book): Sized {
  const demand = {
    what: 'peak ingress',
    needed: load.inPeak,
    each: book.limit('kafka-broker-in'),
    unit: 'MB/s',
  }
  const brokers = unitsFor('brokers', [demand], book.limit('msk-brokers-least'))
  const bookies: Unit = { ...brokers, name: 'bookies' }
  const copies = book.limit('kafka-replicas')
  const kept = (keptGb(load.in, load.days) * copies) / book.limit('kafka-disk-use')
  return {
    units: [brokers, bookies],
    standing: [
      hoursLine(
        book,
        'compute',
        'ec2-m7g-large',
        brokers.count + bookies.count,
        'brokers and bookies',
      ),
    ],
    byUse: [lineOf(book, 'storage', 'ebs-gp3', kept, `${copies} copies of ${figure(load.days)} d`)],
  }
}

function shardsFor(load: LogLoad, book: Book): Unit {
  return unitsFor('shards', [
    {
      what: 'peak ingress',
      needed: load.inPeak,
      each: book.limit('kinesis-shard-in'),
      unit: 'MB/s',
    },
    {
      what: 'records at the peak',
      needed: load.eventsPeak,
      each: book.limit('kinesis-shard-records'),
      unit: '/s',
    },
    {
      what: `egress to ${load.readers} readers`,
      needed: load.inPeak * load.readers,
      each: book.limit('kinesis-shard-out'),
      unit: 'MB/s',
    },
  ])
}

function sizeKinesisProvisioned(load: LogLoad, book: Book): Sized {
  const shards = shardsFor(load, book)
  const hours = book.limit('hours-a-month')
  const each = book.limit('kinesis-put-bytes')
  const puts = load.streams.reduce(
    (sum, { rate, bytes }) => sum + rate * Math.ceil(bytes / each) * hours * 3600,
    0,
  )
  const extended = load.days > 1
  const longTerm = keptGb(load.in, Math.max(0, load.days - 7))
  const most = book.limit('kinesis-shards-max')
  return {
    units: [shards],
    standing: [hoursLine(book, 'compute', 'kinesis-shard', shards.count, 'shards')],
    byUse: [
      lineOf(
        book,
        'ingress',
        'kinesis-put-unit',
        puts / 1e6,
        `${figure(load.events)} records/s in units of 25 KB`,
      ),
      ...(extended ? [hoursLine(book, 'storage', 'kinesis-extended', shards.count, 'shards')] : []),
      ...(longTerm > 0
        ? [
            lineOf(
              book,
              'storage',
              'kinesis-long-term',
              longTerm,
              `${figure(load.days - 7)} d beyond 7 d`,
            ),
          ]
        : []),
    ],
    ...(shards.count > most ? { exceeds: `${shards.count} shards, ${most} at most` } : {}),
  }
}

function sizeKinesisOnDemand(load: LogLoad, book: Book): Sized {
  const hours = book.limit('hours-a-month')
  // Each record counts as whole KB.
  const billed = load.streams.reduce(
    (sum, { rate, bytes }) => sum + (rate * Math.ceil(bytes / 1000)) / 1000,
    0,
  )
  const gb = monthGb(billed, hours)
  const out = monthGb(load.in, hours) * load.readers
  const most = book.limit('kinesis-on-demand-in')
  const longTerm = keptGb(load.in, Math.max(0, load.days - 7))
  return {
    units: [
      { name: 'on-demand streams', count: load.streams.length, binding: 'one for each stream' },
      { ...shardsFor(load, book), name: 'shards behind' },
    ],
    standing: [hoursLine(book, 'compute', 'kinesis-od-stream', load.streams.length, 'streams')],
    byUse: [
      lineOf(
        book,
        'ingress',
        'kinesis-od-in',
        gb,
        `${figure(billed)} MB/s, records rounded up to KB`,
      ),
      lineOf(book, 'transfer', 'kinesis-od-out', out, `${load.readers} readers`),
      ...(load.days > 1
        ? [
            lineOf(
              book,
              'storage',
              'kinesis-od-extended',
              keptGb(load.in, Math.min(load.days, 7) - 1),
              `${figure(Math.min(load.days, 7))} d, the first is included`,
            ),
          ]
        : []),
      ...(longTerm > 0
        ? [
            lineOf(
              book,
              'storage',
              'kinesis-long-term',
              longTerm,
              `${figure(load.days - 7)} d beyond 7 d`,
            ),
          ]
        : []),
    ],
    ...(load.inPeak > most
      ? { exceeds: `${figure(load.inPeak)} MB/s at the peak, it grows to ${most} by itself` }
      : {}),
  }
}

function sizePubSub(load: LogLoad, book: Book): Sized {
  const hours = book.limit('hours-a-month')
  const tib = (monthGb(load.in, hours) * 1e9) / TIB
  const most = book.limit('pubsub-quota-in')
  return {
    units: [
      unitsFor('regional quotas', [
        { what: 'peak ingress', needed: load.inPeak, each: most, unit: 'MB/s' },
      ]),
    ],
    standing: [],
    byUse: [
      lineOf(book, 'ingress', 'pubsub-throughput', tib, `${figure(load.in)} MB/s published`),
      lineOf(
        book,
        'transfer',
        'pubsub-throughput',
        tib * load.readers,
        `delivered to ${load.readers} readers`,
      ),
      lineOf(
        book,
        'storage',
        'pubsub-storage',
        (keptGb(load.in, load.days) * 1e9) / GIB,
        `${figure(load.days)} d kept in the topic`,
      ),
    ],
    ...(load.inPeak > most ? { exceeds: `${figure(load.inPeak)} MB/s, a quota of ${most}` } : {}),
  }
}

function sizeEventHubs(load: LogLoad, book: Book): Sized {
  const units = unitsFor('throughput units', [
    {
      what: 'peak ingress',
      needed: load.inPeak,
      each: book.limit('event-hubs-tu-in'),
      unit: 'MB/s',
    },
    {
      what: 'events at the peak',
      needed: load.eventsPeak,
      each: book.limit('event-hubs-tu-events'),
      unit: '/s',
    },
    {
      what: 'peak egress',
      needed: load.inPeak * load.readers,
      each: book.limit('event-hubs-tu-out'),
      unit: 'MB/s',
    },
    {
      what: 'events read',
      needed: load.eventsPeak * load.readers,
      each: book.limit('event-hubs-tu-out-events'),
      unit: '/s',
    },
  ])
  const billed = load.streams.reduce(
    (sum, { rate, bytes }) => sum + rate * Math.ceil(bytes / 64_000),
    0,
  )
  const events = billed * book.limit('hours-a-month') * 3600
  const included = units.count * book.limit('event-hubs-tu-storage')
  const beyond = Math.max(0, keptGb(load.in, load.days) - included)
  const most = book.limit('event-hubs-tu-max')
  return {
    units: [units],
    standing: [hoursLine(book, 'compute', 'event-hubs-tu', units.count, 'units')],
    byUse: [
      lineOf(book, 'ingress', 'event-hubs-events', events / 1e6, `${figure(load.events)} events/s`),
      ...(beyond > 0
        ? [
            lineOf(
              book,
              'storage',
              'event-hubs-storage',
              beyond,
              `${figure(load.days)} d, less ${figure(included)} GB included`,
            ),
          ]
        : []),
    ],
    ...(units.count > most ? { exceeds: `${units.count} throughput units, ${most} at most` } : {}),
  }
}

function sizeEventHubsPremium(load: LogLoad, book: Book): Sized {
  const demand = {
    what: 'peak ingress',
    needed: load.inPeak,
    each: book.limit('event-hubs-pu-in'),
    unit: 'MB/s',
  }
  const units = unitsFor('processing units', [demand])
  const most = book.limit('event-hubs-pu-max')
  return {
    units: [units],
    standing: [hoursLine(book, 'compute', 'event-hubs-pu', units.count, 'units')],
    byUse: [],
    ...(units.count > most ? { exceeds: `${units.count} processing units, ${most} at most` } : {}),
  }
}

function sizeConfluent(tier: string, load: LogLoad, book: Book): Sized {
  const limit = (name: string) => book.limit(`confluent-${tier}-${name}`)
  const eckus = (inMb: number) =>
    unitsFor('eCKU', [
      { what: 'ingress', needed: inMb, each: limit('in'), unit: 'MB/s' },
      { what: 'egress', needed: inMb * load.readers, each: limit('out'), unit: 'MB/s' },
      {
        what: 'partitions',
        needed: partitionsFor(load, book).count,
        each: limit('partitions'),
        unit: '',
      },
    ])
  const peak = eckus(load.inPeak)
  // Billed by the hour for what is used: the mean, not the peak.
  const billed = eckus(load.in).count - (tier === 'basic' ? 1 : 0)
  const hours = book.limit('hours-a-month')
  const line = hoursLine(book, 'compute', `confluent-${tier}-ecku`, billed, 'eCKU in the mean')
  const least = tier === 'basic' ? 0 : limit('least')
  const gb = monthGb(load.in, hours)
  return {
    units: [peak, partitionsFor(load, book)],
    standing: [
      line.monthly >= least ? line : { ...line, monthly: least, how: `at least ${least} USD` },
    ],
    byUse: [
      lineOf(book, 'ingress', 'confluent-network', gb, `${figure(load.in)} MB/s in`),
      lineOf(book, 'transfer', 'confluent-network', gb * load.readers, `${load.readers} readers`),
      lineOf(
        book,
        'storage',
        'confluent-storage',
        keptGb(load.in, load.days),
        `${figure(load.days)} d`,
      ),
    ],
    ...(peak.count > limit('ecku-max')
      ? { exceeds: `${peak.count} eCKU, ${limit('ecku-max')} at most` }
      : {}),
  }
}
