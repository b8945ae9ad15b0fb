-- Dense ids of items. An id, once given, stays; ranks and counts follow the data.
CREATE TABLE IF NOT EXISTS ${table} (
  item   STRING NOT NULL COMMENT 'raw item id',
  id     BIGINT NOT NULL COMMENT 'dense id from 2; 0 is padding and 1 unknown',
  rank   BIGINT NOT NULL COMMENT 'frequency rank, 1 the most frequent, ties by a hash of the raw id',
  events BIGINT NOT NULL COMMENT 'number of interactions'
) USING DELTA
COMMENT 'Dense ids of items with their frequency rank'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT id_leaves_room_for_padding_and_unknown CHECK (id >= 2);
ALTER TABLE ${table} ADD CONSTRAINT rank_from_one CHECK (rank >= 1);
