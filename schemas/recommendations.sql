-- Top items of every user from one model version.
CREATE TABLE IF NOT EXISTS ${table} (
  user              STRING NOT NULL COMMENT 'raw user id',
  items             ARRAY<STRING> NOT NULL COMMENT 'raw item ids, best first, none the user has seen',
  scores            ARRAY<FLOAT> NOT NULL COMMENT 'scores of the model, descending, for basis popular the training events of each item',
  basis             STRING NOT NULL COMMENT 'sequence (the history of the user) or popular (no known item in it)',
  registered_model  STRING NOT NULL COMMENT 'name in the registry',
  version           STRING NOT NULL COMMENT 'version the alias named when scoring began',
  interactions_version BIGINT NOT NULL COMMENT 'version of the interactions table the histories came from',
  run_id            STRING NOT NULL COMMENT 'run that wrote the row',
  recommended       TIMESTAMP NOT NULL COMMENT 'when that run began to recommend, the same in all rows (UTC)'
) USING DELTA
COMMENT 'Top items of every user with their origin'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT one_score_per_item CHECK (size(items) = size(scores));
ALTER TABLE ${table} ADD CONSTRAINT known_basis CHECK (basis IN ('sequence', 'popular'));
