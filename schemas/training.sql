-- The training events of sequences in the fixed shape that Petastorm can stack; one file per shard.
CREATE TABLE IF NOT EXISTS ${table} (
  shard         INT NOT NULL COMMENT 'hash of the user modulo the number of shards',
  user_id       BIGINT NOT NULL COMMENT 'dense user id (user_index.id)',
  items         ARRAY<INT> NOT NULL COMMENT 'vocabulary rows of the last training events, oldest first, padded with 0 on the left',
  times         ARRAY<BIGINT> NOT NULL COMMENT 'milliseconds since 1970-01-01 UTC, 0 where padded',
  ratings       ARRAY<FLOAT> NOT NULL COMMENT 'stars from 1 to 5, 0 when unknown or padded',
  length        INT NOT NULL COMMENT 'number of events that are not padding'
) USING DELTA
PARTITIONED BY (shard)
COMMENT 'Training sequences of fixed length'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none',
  'delta.autoOptimize.optimizeWrite' = 'false', 'delta.autoOptimize.autoCompact' = 'false');
ALTER TABLE ${table} ADD CONSTRAINT two_events_at_least CHECK (length >= 2);
ALTER TABLE ${table} ADD CONSTRAINT arrays_have_one_length CHECK (size(items) = size(times) AND size(items) = size(ratings) AND length <= size(items));
