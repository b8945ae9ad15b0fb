-- One row per session: events of one user without a gap longer than sequences.session_gap_minutes; two events at least.
CREATE TABLE IF NOT EXISTS ${table} (
  session STRING NOT NULL COMMENT 'interactions.user and number of the session, from 1, as user:number',
  items   ARRAY<BIGINT> NOT NULL COMMENT 'dense item ids (item_index.id), oldest first',
  times   ARRAY<BIGINT> NOT NULL COMMENT 'milliseconds since 1970-01-01 UTC, ascending',
  length  INT NOT NULL COMMENT 'number of events'
) USING DELTA
COMMENT 'Sessions of users or visitors, cut by a gap in time'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT arrays_have_one_length CHECK (size(items) = length AND size(times) = length);
