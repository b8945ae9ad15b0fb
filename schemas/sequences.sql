-- One row per user of the k-core: the whole history in time order, and where each split cuts it.
CREATE TABLE IF NOT EXISTS ${table} (
  user_id       BIGINT NOT NULL COMMENT 'dense user id (user_index.id)',
  items         ARRAY<BIGINT> NOT NULL COMMENT 'dense item ids (item_index.id), oldest first',
  times         ARRAY<BIGINT> NOT NULL COMMENT 'milliseconds since 1970-01-01 UTC, ascending',
  ratings       ARRAY<FLOAT> NOT NULL COMMENT 'stars from 1 to 5, 0 when unknown',
  length        INT NOT NULL COMMENT 'number of events',
  loo_train     INT NOT NULL COMMENT 'leave-one-out: the first loo_train events train, the next one validates, the last one tests; the length when there are fewer than 3 events, all of which train',
  time_train    INT NOT NULL COMMENT 'global time split: events before the validation cut',
  time_valid    INT NOT NULL COMMENT 'global time split: events before the test cut (train and validation together)'
) USING DELTA
COMMENT 'User sequences of the k-core with leave-one-out and global-time split'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT arrays_have_one_length CHECK (size(items) = length AND size(times) = length AND size(ratings) = length);
ALTER TABLE ${table} ADD CONSTRAINT splits_are_ordered CHECK (
  loo_train BETWEEN 0 AND length AND time_train BETWEEN 0 AND time_valid AND time_valid <= length);
