-- One row per (user, item, time), events of unknown users all kept: the duplicates of events resolved by the rule in sequoia.ingest.duplicates.
CREATE TABLE IF NOT EXISTS ${table} (
  user     STRING COMMENT 'raw user id, null when the log knows no users',
  item     STRING NOT NULL COMMENT 'raw item id',
  time     BIGINT NOT NULL COMMENT 'milliseconds since 1970-01-01 UTC',
  rating   FLOAT COMMENT 'stars from 1 to 5, null when the log has none',
  verified BOOLEAN COMMENT 'purchase verified by the shop, null when not said',
  votes    INT COMMENT 'helpful votes, null when not said',
  source   STRING NOT NULL COMMENT 'raw file whose line was kept'
) USING DELTA
COMMENT 'Silver: de-duplicated interactions of users with items; a file holds the users of a range of hashes, in the order of hash and time'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT time_is_positive CHECK (time > 0);
ALTER TABLE ${table} ADD CONSTRAINT rating_in_range CHECK (rating IS NULL OR rating BETWEEN 1 AND 5);
