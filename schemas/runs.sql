-- What every run ran with: one row per process that ran stages or a command (rollback, release, clean); the tasks of a workflow share their run_id.
CREATE TABLE IF NOT EXISTS ${table} (
  run_id        STRING NOT NULL COMMENT 'run: the setting run_id, or a new id',
  started       TIMESTAMP NOT NULL COMMENT 'when its first stage, or its command, began (UTC)',
  command       STRING NOT NULL COMMENT 'command line, secrets hidden',
  actor         STRING NOT NULL COMMENT 'who ran it: user of the process, on Databricks user or service principal of the job',
  host          STRING NOT NULL COMMENT 'machine of the driver',
  code          STRING NOT NULL COMMENT 'version of sequoia with the commit, .dirty for a changed checkout',
  packages      MAP<STRING, STRING> NOT NULL COMMENT 'Python and the packages that can change a result',
  settings_hash STRING NOT NULL COMMENT 'hash of the effective settings, run_id and logging apart',
  settings      STRING NOT NULL COMMENT 'the effective settings, a JSON object, secrets hidden'
) USING DELTA
COMMENT 'Runs with their settings, code, packages and user'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
