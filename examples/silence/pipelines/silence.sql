SET 'pipeline.name' = 'silence';
SET 'execution.checkpointing.interval' = '1 s';         -- alerts are sent at checkpoints
SET 'table.exec.source.idle-timeout' = '1 s';           -- when nobody beats any more,
SET 'time.idle-watermark' = 'clock';                    -- the clock moves time

-- need: a sensor whose silence is seen an hour later has spoiled what it guards
-- A session ends when its sensor has been silent for five seconds.
INSERT INTO alerts
SELECT sensor, window_end - INTERVAL '5' SECOND, COUNT(*)
FROM TABLE(SESSION(TABLE beats PARTITION BY sensor, DESCRIPTOR(taken_at), INTERVAL '5' SECOND))
GROUP BY sensor, window_start, window_end;
