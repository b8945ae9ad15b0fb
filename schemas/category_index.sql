-- Dense ids of category names. An id, once given, stays.
CREATE TABLE IF NOT EXISTS ${table} (
  category STRING NOT NULL COMMENT 'name as in items.category',
  id BIGINT NOT NULL COMMENT 'dense id from 2; 0 is padding and 1 unknown',
  rank BIGINT NOT NULL COMMENT 'frequency rank by items, 1 the most frequent, ties by name',
  events BIGINT NOT NULL COMMENT 'number of items'
) USING DELTA
COMMENT 'Dense ids of category names with their frequency rank'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT id_leaves_room_for_padding_and_unknown CHECK (id >= 2);
