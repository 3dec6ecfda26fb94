CREATE TABLE payments (
  payment STRING,
  card STRING,
  cents BIGINT,
  taken_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, -- when the log took it in: the same whenever it is read
  came AS PROCTIME()                                           -- orders payments as they stand in the log
) WITH ('connector' = 'log', 'topic' = 'payments', 'format' = 'json');

-- Each payment beside the four before it of the same card.
CREATE VIEW verdicts AS
SELECT payment, card, cents,
  CASE
    WHEN five = 5 AND TIMESTAMPDIFF(SECOND, first_at, taken_at) < 60 THEN 'refused: five payments within a minute'
    WHEN before_cents IS NOT NULL AND cents > 20 * before_cents THEN 'review: twenty times the one before'
    ELSE 'approved'
  END AS verdict
FROM (
  SELECT payment, card, cents, taken_at,
    COUNT(*) OVER last_five AS five,
    MIN(taken_at) OVER last_five AS first_at,
    LAG(cents) OVER (PARTITION BY card ORDER BY came) AS before_cents
  FROM payments
  WINDOW last_five AS (PARTITION BY card ORDER BY came ROWS BETWEEN 4 PRECEDING AND CURRENT ROW)
);

CREATE VIEW cards AS SELECT card, COUNT(*) AS payments, SUM(cents) AS cents FROM payments GROUP BY card;
