-- One row per item that has metadata; interactions with other items are kept all the same.
CREATE TABLE IF NOT EXISTS ${table} (
  item         STRING NOT NULL COMMENT 'raw item id',
  title        STRING COMMENT 'plain text, null when unknown',
  brand        STRING COMMENT 'plain text, null when unknown',
  price        DOUBLE COMMENT 'US dollars, null when unknown',
  categories   ARRAY<STRING> NOT NULL COMMENT 'category path, broadest first, empty when unknown',
  category     STRING COMMENT 'last node of the path, null when unknown',
  price_bucket INT NOT NULL COMMENT '0 unknown, else 1 + floor(2 * log2(1 + price)), at most 30'
) USING DELTA
COMMENT 'Silver: product metadata, one row per item'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT price_is_positive CHECK (price IS NULL OR price > 0);
ALTER TABLE ${table} ADD CONSTRAINT price_bucket_in_range CHECK (price_bucket BETWEEN 0 AND 30);
