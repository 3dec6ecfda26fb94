-- A week of earthquakes as the agency published them: ordered by their last update, hours behind when the earth moved.
CREATE TABLE quakes (
  id STRING,
  magnitude DOUBLE,
  scale STRING,
  place STRING,
  region STRING,
  depth_km DOUBLE,
  `time` TIMESTAMP_LTZ(3),
  updated TIMESTAMP_LTZ(3),
  WATERMARK FOR `time` AS `time` - INTERVAL '1' DAY
) WITH (
  'connector' = 'filesystem',
  'path' = 'events.jsonl',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);

CREATE TABLE quakes_per_hour (
  region STRING,
  window_start TIMESTAMP(3),
  quakes BIGINT,
  strongest DOUBLE
) WITH (
  'connector' = 'delta',
  'table-path' = 'lake/quakes_per_hour'
);
