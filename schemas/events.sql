-- Every event line of every raw file, good or bad, so that each file's lines can be accounted for one by one.
CREATE TABLE IF NOT EXISTS ${table} (
  source      STRING NOT NULL COMMENT 'raw file or table the line came from, relative to its input folder',
  fingerprint STRING NOT NULL COMMENT 'checksum of the file and of how it was read, as in files',
  line        BIGINT NOT NULL COMMENT 'line number in the source from 1, not counting a header, event number of a sequence file, row of a Parquet file',
  format      STRING NOT NULL COMMENT 'reviews, ratings, events or sequences',
  user        STRING COMMENT 'raw user id, null when quarantined, or when the log knows no users',
  item        STRING COMMENT 'raw item id, null when quarantined',
  time        BIGINT COMMENT 'milliseconds since 1970-01-01 UTC, null when quarantined',
  rating      FLOAT COMMENT 'stars from 1 to 5, null when the log has none',
  verified    BOOLEAN COMMENT 'purchase verified by the shop, null when not said',
  votes       INT COMMENT 'helpful votes, null when not said',
  reason      STRING COMMENT 'why the line is quarantined, null for a good line',
  raw         STRING COMMENT 'the quarantined text, cut at 65,536 characters, null for a good line'
) USING DELTA
PARTITIONED BY (source, fingerprint)
COMMENT 'Bronze: event lines as read, one row per line'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT good_lines_are_complete
  CHECK (reason IS NOT NULL OR (item IS NOT NULL AND time IS NOT NULL));
ALTER TABLE ${table} ADD CONSTRAINT rating_in_range CHECK (rating IS NULL OR rating BETWEEN 1 AND 5);
