-- The items a model can recommend: those of the k-core, numbered without gaps for embedding tables.
CREATE TABLE IF NOT EXISTS ${table} (
  row          INT NOT NULL COMMENT 'row of the embedding table, from 2; 0 is padding and 1 unknown; ascending with item_id',
  item_id      BIGINT NOT NULL COMMENT 'dense item id (item_index.id)',
  item         STRING NOT NULL COMMENT 'raw item id',
  events       BIGINT NOT NULL COMMENT 'training events of the item under the configured split',
  category     INT NOT NULL COMMENT 'dense category id (category_index.id), 1 unknown',
  brand        INT NOT NULL COMMENT 'dense brand id (brand_index.id), 1 unknown',
  first_time   BIGINT NOT NULL COMMENT 'time of the first training event, milliseconds since 1970-01-01 UTC, 0 without one',
  price        FLOAT NOT NULL COMMENT 'US dollars, 0 unknown',
  price_bucket INT NOT NULL COMMENT 'items.price_bucket, 0 unknown'
) USING DELTA
COMMENT 'Items of the k-core with their model rows and features'
TBLPROPERTIES ('sequoia.schemaVersion' = '3', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT row_leaves_room_for_padding_and_unknown CHECK (row >= 2);
