-- Where each model puts the true next item after each history, among all items and among the candidates.
CREATE TABLE IF NOT EXISTS ${table} (
  model              STRING NOT NULL COMMENT 'model name, or champion',
  split              STRING NOT NULL COMMENT 'valid or test',
  user_id            BIGINT NOT NULL COMMENT 'dense user id (user_index.id)',
  number             INT NOT NULL COMMENT 'of the target among the events held out of the user in the split, from 1',
  target             INT NOT NULL COMMENT 'vocabulary row of the true next item',
  rank               BIGINT NOT NULL COMMENT 'from 1 among all items, without those the user has had (recommend.hide_seen); of ties the last place, or any (evaluate.ties)',
  uniform_rank       BIGINT COMMENT 'from 1 among target and uniform candidates (sampled)',
  popularity_rank    BIGINT COMMENT 'from 1 among target and popularity candidates (sampled)',
  recommended        ARRAY<INT> NOT NULL COMMENT 'vocabulary rows of the top items, best first, for coverage',
  history_events     INT NOT NULL COMMENT 'events before the target',
  target_events      BIGINT NOT NULL COMMENT 'training events of the target, 0 for an item outside the vocabulary',
  shown_popularity   DOUBLE COMMENT 'mean over the ten best items of the share of items that have no more training events; null when none is shown',
  problem            STRING COMMENT 'why this is no rank of a sound model: nan, constant, index, or why it cannot be opened; null for a rank',
  leaked             BOOLEAN COMMENT 'whether the model was trained on a test event of this user; null where that cannot be told'
) USING DELTA
PARTITIONED BY (model, split)
COMMENT 'Ranks of the true next items'
TBLPROPERTIES ('sequoia.schemaVersion' = '3', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT rank_from_one CHECK (rank >= 1);
