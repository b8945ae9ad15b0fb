-- The audit of promotion: a row for what is about to be done, and one for what came of it; nothing is ever changed here.
CREATE TABLE IF NOT EXISTS ${table} (
  decided           TIMESTAMP NOT NULL COMMENT 'when the row was written (UTC)',
  run_id            STRING NOT NULL COMMENT 'run that decided it',
  intent            STRING COMMENT 'the same in the intended row and in the row of its outcome; null where the alias was not to move',
  action            STRING NOT NULL COMMENT 'intended, promoted, refused, unchanged, rolled back, released or taken back (intended, but the alias did not move)',
  wanted            STRING COMMENT 'of an intended row, the action of its outcome when it succeeds',
  registered_model  STRING NOT NULL COMMENT 'name in the registry',
  alias             STRING NOT NULL COMMENT 'alias in question, such as champion',
  challenger        STRING COMMENT 'model that asked, such as sasrec or counting; null where somebody asked for a version',
  version           STRING COMMENT 'registered version in question, null when refused before registration',
  fingerprint       STRING COMMENT 'hash of settings and data of the challenger or version',
  champion_before   STRING COMMENT 'version the alias named before, null for none',
  champion_after    STRING COMMENT 'version the alias names now, null for none',
  champion_fingerprint STRING COMMENT 'hash of settings and data of champion_before',
  reasons           ARRAY<STRING> NOT NULL COMMENT 'each rule with its numbers, passed or failed, or why somebody asked for it',
  verdicts          ARRAY<STRUCT<model: STRING, rule: STRING, passed: BOOLEAN, reason: STRING, figures: MAP<STRING, DOUBLE>>> NOT NULL COMMENT 'the rules of the gate for each model, in the order they were judged; empty where no gate was asked',
  metric            STRING COMMENT 'metric the gate decided on, such as ndcg@10',
  figures           MAP<STRING, STRUCT<value: DOUBLE, low: DOUBLE, high: DOUBLE, users: DOUBLE>> NOT NULL COMMENT 'that metric on the test users with its interval, by model and for champion',
  settings          STRING NOT NULL COMMENT 'section promote of the settings, a JSON object',
  settings_hash     STRING NOT NULL COMMENT 'hash of all effective settings',
  code_version      STRING NOT NULL COMMENT 'version of sequoia, with the commit where it is known',
  actor             STRING NOT NULL COMMENT 'who decided: user of the process, on Databricks user or service principal of the job'
) USING DELTA
COMMENT 'Audit of promotions, rollbacks and releases'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.appendOnly' = 'true');
ALTER TABLE ${table} ADD CONSTRAINT known_action CHECK (action IN ('intended', 'promoted', 'refused', 'unchanged', 'rolled back', 'released', 'taken back'));
