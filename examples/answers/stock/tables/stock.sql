CREATE TABLE orders (
  order_id STRING,
  item STRING,
  came AS PROCTIME() -- orders stand as they do in the log
) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');

CREATE TABLE stock (item STRING, pieces BIGINT, PRIMARY KEY (item) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = 'stock.jsonl', 'format' = 'json');

-- Whoever comes while there are pieces left has one.
CREATE VIEW reservations AS
SELECT o.order_id, o.item, s.pieces IS NOT NULL AND o.number <= s.pieces AS accepted
FROM (SELECT order_id, item, came, COUNT(*) OVER (
        PARTITION BY item ORDER BY came ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
      FROM orders) AS o
LEFT JOIN stock FOR SYSTEM_TIME AS OF o.came AS s ON o.item = s.item;

CREATE VIEW shelves AS
SELECT item, COUNT(*) AS asked, COUNT(*) FILTER (WHERE accepted) AS sold FROM reservations GROUP BY item;
