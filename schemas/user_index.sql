-- Dense ids of users. An id, once given, stays; counts follow the data.
CREATE TABLE IF NOT EXISTS ${table} (
  user   STRING NOT NULL COMMENT 'raw user id',
  id     BIGINT NOT NULL COMMENT 'dense id from 2; 0 is padding and 1 unknown',
  events BIGINT NOT NULL COMMENT 'number of interactions'
) USING DELTA
COMMENT 'Dense ids of users with their events'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT id_leaves_room_for_padding_and_unknown CHECK (id >= 2);
