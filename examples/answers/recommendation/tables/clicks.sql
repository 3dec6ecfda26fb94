CREATE TABLE clicks (
  click STRING,
  session STRING,
  product STRING,
  came AS PROCTIME() -- clicks stand as they do in the log
) WITH ('connector' = 'log', 'topic' = 'clicks', 'format' = 'json');

CREATE TABLE products (product STRING, category STRING, PRIMARY KEY (product) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = 'products.jsonl', 'format' = 'json');

CREATE TABLE bestsellers (category STRING, product STRING, PRIMARY KEY (category) NOT ENFORCED)
WITH ('connector' = 'filesystem', 'path' = 'bestsellers.jsonl', 'format' = 'json');

-- Of the session's last three clicks the category that it was in at least twice; else the one it is in now.
CREATE VIEW interests AS
SELECT click, session, came,
  CASE WHEN before = before_that THEN before ELSE category END AS category
FROM (
  SELECT c.click, c.session, c.came, p.category,
    LAG(p.category, 1) OVER (PARTITION BY c.session ORDER BY c.came) AS before,
    LAG(p.category, 2) OVER (PARTITION BY c.session ORDER BY c.came) AS before_that
  FROM clicks AS c LEFT JOIN products FOR SYSTEM_TIME AS OF c.came AS p ON c.product = p.product
);

CREATE VIEW recommendations AS
SELECT i.click, i.session, i.category, b.product AS recommended
FROM interests AS i LEFT JOIN bestsellers FOR SYSTEM_TIME AS OF i.came AS b ON i.category = b.category;

CREATE VIEW sessions AS SELECT session, COUNT(*) AS clicks FROM clicks GROUP BY session;
