-- The items a model can recommend: those of the k-core, numbered without gaps for embedding tables.
CREATE TABLE IF NOT EXISTS ${table} (
  row     INT NOT NULL COMMENT 'row of the embedding table, from 2; 0 is padding and 1 unknown; ascending with item_id',
  item_id BIGINT NOT NULL COMMENT 'dense item id (item_index.id)',
  item    STRING NOT NULL COMMENT 'raw item id',
  events  BIGINT NOT NULL COMMENT 'training events of the item under the configured split'
) USING DELTA
COMMENT 'Items of the k-core with their model rows'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT row_leaves_room_for_padding_and_unknown CHECK (row >= 2);
