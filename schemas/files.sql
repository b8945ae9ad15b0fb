-- The accounts of ingest: one row per raw file.
CREATE TABLE IF NOT EXISTS ${table} (
  source      STRING NOT NULL COMMENT 'raw file or table, relative to its input folder',
  format      STRING NOT NULL COMMENT 'reviews, ratings, metadata, events or sequences',
  bytes       BIGINT NOT NULL COMMENT 'size of the file in bytes',
  fingerprint STRING NOT NULL COMMENT 'checksum by ingest.fingerprint and of how it is read: a file that did not change is not read again',
  lines       BIGINT NOT NULL COMMENT 'lines read',
  kept        BIGINT NOT NULL COMMENT 'lines that became a row of interactions or items',
  quarantined BIGINT NOT NULL COMMENT 'lines set aside as unusable',
  duplicates  BIGINT NOT NULL COMMENT 'good lines that say again what a kept line says',
  events_version   BIGINT NOT NULL COMMENT 'version of events that these accounts were made from',
  products_version BIGINT NOT NULL COMMENT 'version of products that these accounts were made from'
) USING DELTA
COMMENT 'Raw files with their line counts'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT lines_add_up CHECK (lines = kept + quarantined + duplicates);
