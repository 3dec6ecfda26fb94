/** Kafka's brokers, self-run and Amazon's: throughput and partitions decide their size and number, replicas their disks. */
import type { Book } from '../cost/book.ts'
import { type CostLine, figure, hoursLine, lineOf } from '../cost/lines.ts'
import { keptGb, monthGb } from '../plan/load.ts'
import { type LogLoad, partitionsFor, type Sized } from './sized.ts'
import { inZones, type Unit, unitsFor } from './units.ts'

const SIZES = ['large', 'xlarge', '2xlarge', '4xlarge'] as const
const ZONES = 3

export function sizeKafka(load: LogLoad, book: Book): Sized {
  const partitions = partitionsFor(load, book)
  const demand = ingress(load, book.limit('kafka-broker-in'))
  const brokers = inZones(unitsFor('brokers', [demand], book.limit('msk-brokers-least')), ZONES)
  const copies = book.limit('kafka-replicas')
  const kept = (keptGb(load.in, load.days) * copies) / book.limit('kafka-disk-use')
  const gb = monthGb(load.in, book.limit('hours-a-month'))
  const replicated = lineOf(
    book,
    'transfer',
    'aws-inter-az',
    gb * (copies - 1),
    `${copies - 1} copies into other zones`,
  )
  return {
    units: [brokers, partitions],
    standing: [hoursLine(book, 'compute', 'ec2-m7g-large', brokers.count, 'brokers')],
    byUse: [
      lineOf(
        book,
        'storage',
        'ebs-gp3',
        kept,
        `${copies} copies of ${figure(load.days)} d, disks filled to ${book.limit('kafka-disk-use') * 100} %`,
      ),
      ...(load.crossesZones ? [replicated, ...clientTransfer(load, book)] : []),
    ],
  }
}

export function sizeMsk(load: LogLoad, book: Book): Sized {
  const { brokers, size, partitions } = brokersFor(load, book, 'msk-m7g')
  const copies = book.limit('kafka-replicas')
  return {
    units: [brokers, partitions],
    standing: [hoursLine(book, 'compute', `msk-m7g-${size}`, brokers.count, `brokers m7g.${size}`)],
    byUse: [
      lineOf(
        book,
        'storage',
        'msk-ebs',
        (keptGb(load.in, load.days) * copies) / book.limit('kafka-disk-use'),
        `${copies} copies of ${figure(load.days)} d, disks filled to ${book.limit('kafka-disk-use') * 100} %`,
      ),
      ...clientTransfer(load, book),
    ],
  }
}

export function sizeMskExpress(load: LogLoad, book: Book): Sized {
  const { brokers, size, partitions } = brokersFor(load, book, 'msk-express-m7g')
  const gb = monthGb(load.in, book.limit('hours-a-month'))
  return {
    units: [brokers, partitions],
    standing: [
      hoursLine(
        book,
        'compute',
        `msk-express-m7g-${size}`,
        brokers.count,
        `brokers express.m7g.${size}`,
      ),
    ],
    byUse: [
      lineOf(book, 'ingress', 'msk-express-in', gb, `${figure(load.in)} MB/s in`),
      lineOf(
        book,
        'storage',
        'msk-express-storage',
        keptGb(load.in, load.days),
        `${figure(load.days)} d`,
      ),
      ...clientTransfer(load, book),
    ],
  }
}

export function sizeMskServerless(load: LogLoad, book: Book): Sized {
  const partitions = partitionsFor(load, book)
  const gb = monthGb(load.in, book.limit('hours-a-month'))
  const over = [
    load.inPeak > book.limit('msk-serverless-in') && `${figure(load.inPeak)} MB/s in`,
    load.inPeak * load.readers > book.limit('msk-serverless-out') &&
      `${figure(load.inPeak * load.readers)} MB/s out`,
    partitions.count > book.limit('msk-serverless-partitions') && `${partitions.count} partitions`,
  ].filter((each) => each !== false)
  return {
    units: [{ name: 'clusters', count: 1, binding: '1 cluster' }, partitions],
    standing: [hoursLine(book, 'compute', 'msk-serverless-cluster', 1, 'cluster')],
    byUse: [
      hoursLine(book, 'compute', 'msk-serverless-partition', partitions.count, 'partitions'),
      lineOf(book, 'ingress', 'msk-serverless-in', gb, `${figure(load.in)} MB/s in`),
      lineOf(book, 'transfer', 'msk-serverless-out', gb * load.readers, `${load.readers} readers`),
      lineOf(
        book,
        'storage',
        'msk-serverless-storage',
        keptGb(load.in, load.days),
        `${figure(load.days)} d`,
      ),
    ],
    ...(over.length > 0 ? { exceeds: `${over.join(', ')}: more than a cluster takes` } : {}),
  }
}

/** The smallest size of which one in each zone is enough; of the largest, more. So their number never falls as the load grows. */
function brokersFor(
  load: LogLoad,
  book: Book,
  family: string,
): { readonly brokers: Unit; readonly size: string; readonly partitions: Unit } {
  const partitions = partitionsFor(load, book)
  const replicas = partitions.count * book.limit('kafka-replicas')
  const least = book.limit('msk-brokers-least')
  const brokersOf = (size: string) =>
    unitsFor(
      'brokers',
      [
        ingress(load, book.limit(`${family}-${size}-in`)),
        {
          what: 'replicas',
          needed: replicas,
          each: book.limit(`${family}-${size}-partitions`),
          unit: '',
        },
      ],
      least,
    )
  const fitting = SIZES.find((size) => brokersOf(size).count <= least)
  const size = fitting ?? SIZES.at(-1)!
  return { brokers: inZones(brokersOf(size), ZONES), size, partitions }
}

function ingress(load: LogLoad, each: number) {
  return { what: 'peak ingress', needed: load.inPeak, each, unit: 'MB/s' }
}

/** Two of three clients speak with a broker in another zone. */
function clientTransfer(load: LogLoad, book: Book): CostLine[] {
  const gb = monthGb(load.in, book.limit('hours-a-month'))
  const crossing = (gb * (1 + load.readers) * (ZONES - 1)) / ZONES
  const how = `${figure(gb)} GB written and read ${load.readers} times, two of three into another zone`
  return [lineOf(book, 'transfer', 'aws-inter-az', crossing, how)]
}
