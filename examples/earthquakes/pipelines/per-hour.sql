-- Earthquakes by region and hour. With a day of tolerance some still come too late: see `millrace late list quakes_per_hour`.
SET 'pipeline.name' = 'quakes-per-hour';

INSERT INTO quakes_per_hour
SELECT region, window_start, COUNT(*), MAX(magnitude)
FROM TABLE(TUMBLE(TABLE quakes, DESCRIPTOR(`time`), INTERVAL '1' HOUR))
GROUP BY region, window_start, window_end;
