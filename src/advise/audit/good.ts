/** A good pipeline, piece by piece: the example of each rule leaves one piece out, or puts a worse one in. */

export const ORDERS = `CREATE TABLE orders (shop STRING, amount DOUBLE, placed_at TIMESTAMP_LTZ(3),
  WATERMARK FOR placed_at AS placed_at - INTERVAL '5' SECOND)
WITH ('connector' = 'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = 'k:9092',
  'format' = 'avro-confluent', 'avro-confluent.url' = 'http://registry:8081');`
export const REVENUE = `CREATE TABLE revenue (shop STRING, window_start TIMESTAMP_LTZ(3), amount DOUBLE)
WITH ('connector' = 'delta', 'table-path' = 'lake/revenue', 'sink.commit-interval' = '1 min');`
const INSERT = `INSERT INTO revenue SELECT shop, window_start, SUM(amount)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(placed_at), INTERVAL '1' MINUTE))
GROUP BY shop, window_start, window_end;`
export const NEED = '-- need: the stock is ordered within a minute, or the shop is empty for a day'

export const kafkaSink = (options: string): string => `CREATE TABLE revenue (shop STRING,
  window_start TIMESTAMP_LTZ(3), amount DOUBLE)
WITH ('connector' = 'kafka', 'topic' = 'revenue', 'properties.bootstrap.servers' = 'k:9092',
  'format' = 'avro-confluent', 'avro-confluent.url' = 'http://registry:8081'${options});`

export const GOOD = `${NEED}\n${ORDERS}\n${REVENUE}\n${INSERT}\n`
