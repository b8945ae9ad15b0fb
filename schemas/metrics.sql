-- Metrics with bootstrap intervals, by model, split and protocol.
CREATE TABLE IF NOT EXISTS ${table} (
  model       STRING NOT NULL COMMENT 'model name, or champion',
  fingerprint STRING NOT NULL COMMENT 'settings and training snapshot of the model, as in its registered version',
  split       STRING NOT NULL COMMENT 'valid or test',
  protocol    STRING NOT NULL COMMENT 'full (all items ranked), sampled-uniform or sampled-popularity (stored candidates only)',
  metric      STRING NOT NULL COMMENT 'such as hr@10, ndcg@10, mrr@10, coverage@10',
  value       DOUBLE NOT NULL COMMENT 'mean over users, or share of items for coverage',
  low         DOUBLE COMMENT 'lower end of the bootstrap interval, null for coverage',
  high        DOUBLE COMMENT 'upper end of the bootstrap interval, null for coverage',
  users       BIGINT NOT NULL COMMENT 'users evaluated'
) USING DELTA
COMMENT 'Metrics with bootstrap intervals'
TBLPROPERTIES ('sequoia.schemaVersion' = '1', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT value_is_a_share CHECK (value BETWEEN 0 AND 1);
