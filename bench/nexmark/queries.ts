/** The benchmark's tables and queries, in Flink's dialect: the same text runs here and there, but for the tables' options. */

/** The name is a reserved word. */
const TIME = '`dateTime`'

export type Layout = 'flat' | 'nested'

export const QUERY_NAMES = [
  'pass',
  'project',
  'filter',
  'tumble-max',
  'tumble-count',
  'hop-count',
  'keyed-count',
] as const
export type QueryName = (typeof QUERY_NAMES)[number]

interface Query {
  /** Columns of the sink table. */
  readonly sink: string
  readonly select: string
}

/** All over a table or view `bid`. */
const QUERIES: Record<QueryName, Query> = {
  pass: {
    sink: `auction BIGINT, bidder BIGINT, price BIGINT, ${TIME} TIMESTAMP(3), extra STRING`,
    select: `SELECT auction, bidder, price, ${TIME}, extra FROM bid`,
  },
  project: {
    sink: `auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), ${TIME} TIMESTAMP(3), extra STRING`,
    select: `SELECT auction, bidder, 0.908 * price AS price, ${TIME}, extra FROM bid`,
  },
  filter: {
    sink: 'auction BIGINT, price BIGINT',
    select: 'SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0',
  },
  'tumble-max': {
    sink: 'window_start TIMESTAMP(3), price BIGINT',
    select: windowed('window_start, MAX(price) AS price', tumble(10), ''),
  },
  'tumble-count': {
    sink: 'bidder BIGINT, window_start TIMESTAMP(3), bids BIGINT',
    select: windowed('bidder, window_start, COUNT(*) AS bids', tumble(10), 'bidder, '),
  },
  'hop-count': {
    sink: 'auction BIGINT, window_start TIMESTAMP(3), bids BIGINT',
    select: windowed('auction, window_start, COUNT(*) AS bids', hop(2, 10), 'auction, '),
  },
  'keyed-count': {
    sink: 'bidder BIGINT, bids BIGINT',
    select: 'SELECT bidder, COUNT(*) AS bids FROM bid GROUP BY bidder',
  },
}

/** CREATE TABLE of the events and, if nested, the view `bid` over them; `options` stand in its WITH clause. */
export function sourceSql(layout: Layout, options: string): string {
  return layout === 'flat' ? flatTable(options) : nestedTable(options)
}

export function sinkSql(query: QueryName, options: string): string {
  return `CREATE TABLE answer (${QUERIES[query].sink}) WITH (${options})`
}

export function selectSql(query: QueryName): string {
  return QUERIES[query].select
}

const BID = 'auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING'

function flatTable(options: string): string {
  return `CREATE TABLE bid (${BID}, ${TIME} TIMESTAMP(3), extra STRING,
  WATERMARK FOR ${TIME} AS ${TIME} - INTERVAL '4' SECOND) WITH (${options})`
}

function nestedTable(options: string): string {
  return `CREATE TABLE events (
  event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING,
    ${TIME} TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
    ${TIME} TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<${BID}, ${TIME} TIMESTAMP(3), extra STRING>,
  ${TIME} AS CASE WHEN event_type = 0 THEN person.${TIME}
    WHEN event_type = 1 THEN auction.${TIME} ELSE bid.${TIME} END,
  WATERMARK FOR ${TIME} AS ${TIME} - INTERVAL '4' SECOND) WITH (${options});
CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, ${TIME}, bid.extra
FROM events WHERE event_type = 2`
}

function tumble(seconds: number): string {
  return `TUMBLE(TABLE bid, DESCRIPTOR(${TIME}), INTERVAL '${seconds}' SECOND)`
}

function hop(slideSeconds: number, sizeSeconds: number): string {
  return `HOP(TABLE bid, DESCRIPTOR(${TIME}), INTERVAL '${slideSeconds}' SECOND, INTERVAL '${sizeSeconds}' SECOND)`
}

function windowed(columns: string, window: string, keys: string): string {
  return `SELECT ${columns} FROM TABLE(${window}) GROUP BY ${keys}window_start, window_end`
}
