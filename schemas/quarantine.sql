-- Lines that could not be used, with the reason and the text, for repair and for the accounts.
CREATE TABLE IF NOT EXISTS ${table} (
  source STRING NOT NULL COMMENT 'raw file, relative to its input folder',
  line   BIGINT NOT NULL COMMENT 'line number in the source, from 1',
  reason STRING NOT NULL COMMENT 'what is wrong with the line',
  raw    STRING COMMENT 'the text as read, cut at 65,536 characters, bytes that are not UTF-8 replaced'
) USING DELTA
COMMENT 'Quarantined lines of all raw files'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
