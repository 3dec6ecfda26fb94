/**
 * The queries of Nexmark as they are published for Flink, over the published nested events. Changed: sinks; q12 by event time, as what
 * comes by the clock can't be compared; q14 counts letters without a user function; q18 and q19 decide ties by all columns. q6 and
 * q13 are left out: Flink does not run the first, and the second reads a table from outside.
 *
 * @see https://github.com/nexmark/nexmark, nexmark-flink
 */

/** The name is a reserved word. */
const TIME = '`dateTime`'
const BID = `auction, bidder, price, channel, url, ${TIME}, extra`

/** Views over the table `events`. */
export const VIEWS: readonly string[] = [
  `CREATE VIEW person AS SELECT person.id, person.name, person.emailAddress, person.creditCard, person.city, person.state,
    ${TIME}, person.extra FROM events WHERE event_type = 0`,
  `CREATE VIEW auction AS SELECT auction.id, auction.itemName, auction.description, auction.initialBid, auction.reserve, ${TIME},
    auction.expires, auction.seller, auction.category, auction.extra FROM events WHERE event_type = 1`,
  `CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, ${TIME}, bid.extra
    FROM events WHERE event_type = 2`,
]

export const EVENT_COLUMNS = `event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, ${TIME} TIMESTAMP(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, ${TIME} TIMESTAMP(3),
    expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, ${TIME} TIMESTAMP(3), extra STRING>,
  ${TIME} AS CASE WHEN event_type = 0 THEN person.${TIME} WHEN event_type = 1 THEN auction.${TIME} ELSE bid.${TIME} END,
  WATERMARK FOR ${TIME} AS ${TIME} - INTERVAL '4' SECOND`

const DAY = `DATE_FORMAT(${TIME}, 'yyyy-MM-dd')`
const HOP = `TABLE(HOP(TABLE bid, DESCRIPTOR(${TIME}), INTERVAL '2' SECOND, INTERVAL '10' SECOND))`

function tumble(table: string): string {
  return `TABLE(TUMBLE(TABLE ${table}, DESCRIPTOR(${TIME}), INTERVAL '10' SECOND))`
}

/** COUNT, and COUNT DISTINCT of a column, for all bids and for each range of prices. */
function byPrice(aggregate: string, name: string): string {
  const ranges = ['price < 10000', 'price >= 10000 AND price < 1000000', 'price >= 1000000']
  const filtered = ranges.map(
    (range, index) => `${aggregate} FILTER (WHERE ${range}) AS rank${index + 1}_${name}`,
  )
  return [`${aggregate} AS total_${name}`, ...filtered].join(', ')
}

const COUNTS = byPrice('COUNT(*)', 'bids')
const DISTINCT_COUNTS = `${byPrice('COUNT(DISTINCT bidder)', 'bidders')}, ${byPrice('COUNT(DISTINCT auction)', 'auctions')}`

/** A SELECT each. */
export const PUBLISHED = {
  q0: `SELECT auction, bidder, price, ${TIME}, extra FROM bid`,
  q1: `SELECT auction, bidder, 0.908 * price AS price, ${TIME}, extra FROM bid`,
  q2: 'SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0',
  q3: `SELECT P.name, P.city, P.state, A.id FROM auction AS A INNER JOIN person AS P ON A.seller = P.id
    WHERE A.category = 10 AND (P.state = 'OR' OR P.state = 'ID' OR P.state = 'CA')`,
  q4: `SELECT Q.category, AVG(Q.final) FROM (
      SELECT MAX(B.price) AS final, A.category FROM auction A, bid B
      WHERE A.id = B.auction AND B.${TIME} BETWEEN A.${TIME} AND A.expires GROUP BY A.id, A.category) Q
    GROUP BY Q.category`,
  q5: `SELECT AuctionBids.auction, AuctionBids.num FROM (
      SELECT auction, COUNT(*) AS num, window_start AS starttime, window_end AS endtime FROM ${HOP} GROUP BY auction, window_start, window_end) AS AuctionBids
    JOIN (
      SELECT MAX(CountBids.num) AS maxn, CountBids.starttime, CountBids.endtime FROM (
        SELECT COUNT(*) AS num, window_start AS starttime, window_end AS endtime FROM ${HOP} GROUP BY auction, window_start, window_end) AS CountBids
      GROUP BY CountBids.starttime, CountBids.endtime) AS MaxBids
    ON AuctionBids.starttime = MaxBids.starttime AND AuctionBids.endtime = MaxBids.endtime AND AuctionBids.num >= MaxBids.maxn`,
  q7: `SELECT B.auction, B.price, B.bidder, B.${TIME}, B.extra FROM bid B JOIN (
      SELECT MAX(price) AS maxprice, window_end AS ${TIME} FROM ${tumble('bid')} GROUP BY window_start, window_end) B1
    ON B.price = B1.maxprice WHERE B.${TIME} BETWEEN B1.${TIME} - INTERVAL '10' SECOND AND B1.${TIME}`,
  q8: `SELECT P.id, P.name, P.starttime FROM (
      SELECT id, name, window_start AS starttime, window_end AS endtime FROM ${tumble('person')} GROUP BY id, name, window_start, window_end) P
    JOIN (
      SELECT seller, window_start AS starttime, window_end AS endtime FROM ${tumble('auction')} GROUP BY seller, window_start, window_end) A
    ON P.id = A.seller AND P.starttime = A.starttime AND P.endtime = A.endtime`,
  q9: `SELECT id, itemName, description, initialBid, reserve, ${TIME}, expires, seller, category, extra, auction, bidder, price, bid_dateTime, bid_extra FROM (
      SELECT A.*, B.auction, B.bidder, B.price, B.${TIME} AS bid_dateTime, B.extra AS bid_extra,
        ROW_NUMBER() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.${TIME} ASC, B.bidder, B.extra) AS rownum
      FROM auction A, bid B WHERE A.id = B.auction AND B.${TIME} BETWEEN A.${TIME} AND A.expires)
    WHERE rownum <= 1`,
  q10: `SELECT auction, bidder, price, ${TIME}, extra, ${DAY}, DATE_FORMAT(${TIME}, 'HH:mm') FROM bid`,
  q11: `SELECT B.bidder, COUNT(*) AS bid_count, SESSION_START(B.${TIME}, INTERVAL '10' SECOND) AS starttime,
      SESSION_END(B.${TIME}, INTERVAL '10' SECOND) AS endtime
    FROM bid B GROUP BY B.bidder, SESSION(B.${TIME}, INTERVAL '10' SECOND)`,
  q12: `SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime FROM ${tumble('bid')} GROUP BY bidder, window_start, window_end`,
  q14: `SELECT auction, bidder, 0.908 * price AS price,
      CASE WHEN HOUR(${TIME}) >= 8 AND HOUR(${TIME}) <= 18 THEN 'dayTime' WHEN HOUR(${TIME}) <= 6 OR HOUR(${TIME}) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType,
      ${TIME}, extra, CHAR_LENGTH(extra) - CHAR_LENGTH(REPLACE(extra, 'c', '')) AS c_counts
    FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000`,
  q15: `SELECT ${DAY} AS \`day\`, ${COUNTS}, ${DISTINCT_COUNTS} FROM bid GROUP BY ${DAY}`,
  q16: `SELECT channel, ${DAY} AS \`day\`, MAX(DATE_FORMAT(${TIME}, 'HH:mm')) AS \`minute\`, ${COUNTS}, ${DISTINCT_COUNTS}
    FROM bid GROUP BY channel, ${DAY}`,
  q17: `SELECT auction, ${DAY} AS \`day\`, ${COUNTS}, MIN(price) AS min_price, MAX(price) AS max_price, AVG(price) AS avg_price, SUM(price) AS sum_price
    FROM bid GROUP BY auction, ${DAY}`,
  q18: `SELECT ${BID} FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY ${TIME} DESC, price DESC, extra) AS rank_number FROM bid)
    WHERE rank_number <= 1`,
  q19: `SELECT * FROM (
      SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC, ${TIME}, bidder, extra) AS rank_number FROM bid)
    WHERE rank_number <= 10`,
  q20: `SELECT auction, bidder, price, channel, url, B.${TIME}, B.extra, itemName, description, initialBid, reserve, A.${TIME}, expires, seller, category, A.extra
    FROM bid AS B INNER JOIN auction AS A ON B.auction = A.id WHERE A.category = 10`,
  q21: `SELECT auction, bidder, price, channel,
      CASE WHEN LOWER(channel) = 'apple' THEN '0' WHEN LOWER(channel) = 'google' THEN '1' WHEN LOWER(channel) = 'facebook' THEN '2'
        WHEN LOWER(channel) = 'baidu' THEN '3' ELSE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) END AS channel_id
    FROM bid WHERE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) IS NOT NULL OR LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu')`,
  q22: `SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3) AS dir1, SPLIT_INDEX(url, '/', 4) AS dir2, SPLIT_INDEX(url, '/', 5) AS dir3 FROM bid`,
  q23: `SELECT bidder, price, channel, url, B.extra AS bid_extra, P.id AS person_id, name, emailAddress, creditCard, city, state, P.extra AS person_extra,
      itemName, description, initialBid, reserve, A.${TIME} AS auction_dateTime, expires, seller, category, A.extra AS auction_extra
    FROM bid B JOIN person P ON P.id = B.bidder JOIN auction A ON A.seller = B.bidder`,
} as const

export type PublishedName = keyof typeof PUBLISHED
