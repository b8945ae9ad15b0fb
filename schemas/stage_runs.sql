-- The diary: one row per stage that ran to its end, with what went in and what came out.
CREATE TABLE IF NOT EXISTS ${table} (
  run_id   STRING NOT NULL COMMENT 'run the stage belongs to',
  stage    STRING NOT NULL COMMENT 'name of the stage',
  finished TIMESTAMP NOT NULL COMMENT 'when the stage ended (UTC)',
  seconds  DOUBLE NOT NULL COMMENT 'wall-clock seconds',
  rows_in  BIGINT NOT NULL COMMENT 'rows read',
  rows_out BIGINT NOT NULL COMMENT 'rows written',
  details  STRING NOT NULL COMMENT 'what the stage says of itself, a JSON object',
  reads    MAP<STRING, BIGINT> NOT NULL COMMENT 'tables read and their versions',
  writes   MAP<STRING, BIGINT> NOT NULL COMMENT 'tables written and their versions'
) USING DELTA
COMMENT 'Stages that ran, with counts and table versions'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
