-- The diary: one row per stage or command (rollback, release, clean) that ended, well or not, with what went in and out.
CREATE TABLE IF NOT EXISTS ${table} (
  run_id        STRING NOT NULL COMMENT 'run the stage belongs to',
  stage         STRING NOT NULL COMMENT 'name of the stage or command',
  status        STRING NOT NULL COMMENT 'done or failed',
  finished      TIMESTAMP NOT NULL COMMENT 'when the stage ended (UTC)',
  seconds       DOUBLE NOT NULL COMMENT 'wall-clock seconds',
  rows_in       BIGINT COMMENT 'rows read, 0 for a command; null for a failed one',
  rows_out      BIGINT COMMENT 'rows written, 0 for a command; null for a failed one',
  details       STRING NOT NULL COMMENT 'what the stage says of itself, a JSON object; secrets hidden',
  error_type    STRING COMMENT 'class of the error that ended a failed stage, such as UserError',
  error         STRING COMMENT 'its sentence or message, secrets hidden, cut at 2,000 characters',
  settings_hash STRING NOT NULL COMMENT 'hash of the settings it ran with: with run_id, the row of runs',
  reads         MAP<STRING, BIGINT> NOT NULL COMMENT 'tables read and their versions',
  writes        MAP<STRING, BIGINT> NOT NULL COMMENT 'tables written and their versions'
) USING DELTA
COMMENT 'Stages that ended, with counts, errors and table versions'
TBLPROPERTIES ('sequoia.schemaVersion' = '3', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT known_status CHECK (status IN ('done', 'failed'));
ALTER TABLE ${table} ADD CONSTRAINT failed_has_error CHECK ((status = 'failed' AND error IS NOT NULL) OR (status = 'done' AND error IS NULL));
