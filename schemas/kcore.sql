-- What each round of the k-core filter left; round 0 is the input.
CREATE TABLE IF NOT EXISTS ${table} (
  k            INT NOT NULL COMMENT 'least number of interactions of a user and of an item',
  round        INT NOT NULL COMMENT 'round of the filter, 0 before the first',
  users        BIGINT NOT NULL COMMENT 'users left',
  items        BIGINT NOT NULL COMMENT 'items left',
  interactions BIGINT NOT NULL COMMENT 'interactions left'
) USING DELTA
COMMENT 'Rounds of the k-core filter'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
