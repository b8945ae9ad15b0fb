-- Every metadata line of every raw file, cleaned, or quarantined with its text.
CREATE TABLE IF NOT EXISTS ${table} (
  source      STRING NOT NULL COMMENT 'raw metadata file, relative to its input folder',
  fingerprint STRING NOT NULL COMMENT 'checksum of the file and of how it was read, as in files',
  line        BIGINT NOT NULL COMMENT 'line number in the source, from 1',
  item        STRING COMMENT 'raw item id (asin), null when quarantined',
  title       STRING COMMENT 'plain text, null when missing or a fragment of markup',
  brand       STRING COMMENT 'plain text, null when missing',
  price       DOUBLE COMMENT 'US dollars, null when missing or not a price',
  categories  ARRAY<STRING> COMMENT 'category path, broadest first, empty when missing',
  reason      STRING COMMENT 'why the line is quarantined, null for a good line',
  raw         STRING COMMENT 'the quarantined text, cut at 65,536 characters, null for a good line'
) USING DELTA
PARTITIONED BY (source, fingerprint)
COMMENT 'Bronze: product metadata lines as read, cleaned, one row per line'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT good_lines_name_an_item CHECK (reason IS NOT NULL OR item IS NOT NULL);
