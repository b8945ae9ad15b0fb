-- How often one item is followed by another within a few steps of a training sequence: the counting model's statistics.
CREATE TABLE IF NOT EXISTS ${table} (
  item      INT NOT NULL COMMENT 'vocabulary row of the earlier event',
  next_item INT NOT NULL COMMENT 'vocabulary row of the later event',
  distance  INT NOT NULL COMMENT 'steps between the two, from 1',
  pairs     BIGINT NOT NULL COMMENT 'number of such pairs in all training sequences'
) USING DELTA
COMMENT 'Ordered item pairs by distance in training sequences'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT distance_from_one CHECK (distance >= 1);
