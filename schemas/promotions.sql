-- The audit of promotion: one row per decision, nothing is ever changed here.
CREATE TABLE IF NOT EXISTS ${table} (
  decided           TIMESTAMP NOT NULL COMMENT 'when the decision was taken (UTC)',
  run_id            STRING NOT NULL COMMENT 'run that took it',
  action            STRING NOT NULL COMMENT 'promoted, refused, unchanged or rolled back',
  registered_model  STRING NOT NULL COMMENT 'name in the registry',
  alias             STRING NOT NULL COMMENT 'alias in question, such as champion',
  challenger        STRING COMMENT 'model that asked, such as sasrec or counting',
  version           STRING COMMENT 'registered version of the challenger, null when refused before registration',
  champion_before   STRING COMMENT 'version the alias named before, null for none',
  champion_after    STRING COMMENT 'version the alias names now, null for none',
  reasons           ARRAY<STRING> NOT NULL COMMENT 'each rule with its numbers, passed or failed'
) USING DELTA
COMMENT 'Audit of promotions and rollbacks'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.appendOnly' = 'true');
ALTER TABLE ${table} ADD CONSTRAINT known_action CHECK (action IN ('promoted', 'refused', 'unchanged', 'rolled back'));
