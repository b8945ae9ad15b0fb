-- One row per session: events of one user without a gap longer than sessions.gap_minutes.
CREATE TABLE IF NOT EXISTS ${table} (
  session STRING NOT NULL COMMENT 'session key: visitor and number of the session',
  items   ARRAY<BIGINT> NOT NULL COMMENT 'dense item ids (item_index.id), oldest first',
  times   ARRAY<BIGINT> NOT NULL COMMENT 'milliseconds since 1970-01-01 UTC, ascending',
  length  INT NOT NULL COMMENT 'number of events'
) USING DELTA
COMMENT 'Anonymous sessions cut by a gap in time'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT arrays_have_one_length CHECK (size(items) = length AND size(times) = length);
