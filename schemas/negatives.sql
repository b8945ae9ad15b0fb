-- Candidate sets for sampled metrics: the same candidates for every model and every run with the same seed.
CREATE TABLE IF NOT EXISTS ${table} (
  user_id    BIGINT NOT NULL COMMENT 'dense user id (user_index.id)',
  split      STRING NOT NULL COMMENT 'valid or test',
  sampler    STRING NOT NULL COMMENT 'uniform or popularity',
  seed       BIGINT NOT NULL COMMENT 'seed the candidates were drawn with',
  target     INT NOT NULL COMMENT 'vocabulary row of the true next item',
  candidates ARRAY<INT> NOT NULL COMMENT 'vocabulary rows without repetition, none from the history of the user'
) USING DELTA
PARTITIONED BY (split, sampler)
COMMENT 'Sampled negatives for validation and test'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT known_split CHECK (split IN ('valid', 'test'));
ALTER TABLE ${table} ADD CONSTRAINT known_sampler CHECK (sampler IN ('uniform', 'popularity'));
ALTER TABLE ${table} ADD CONSTRAINT target_is_no_candidate CHECK (NOT array_contains(candidates, target));
