CREATE TABLE beats (
  sensor STRING,
  taken_at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, -- when the log took it in
  WATERMARK FOR taken_at AS taken_at - INTERVAL '1' SECOND
)
-- audit: ignore SCHEMA_UNGOVERNED: one field, written by one firmware
WITH ('connector' = 'log', 'topic' = 'beats', 'format' = 'json');

-- audit: ignore SINK_AT_LEAST_ONCE: a request that comes again bears the same Idempotency-Key
CREATE TABLE alerts (sensor STRING, last_seen TIMESTAMP(3), beats BIGINT)
WITH (
  'connector' = 'http',
  'url' = '${env:ALERT_URL}',
  'body.template' = '{"text": "sensor {{sensor}} has been silent since {{last_seen}}, after {{beats}} beats"}'
);
