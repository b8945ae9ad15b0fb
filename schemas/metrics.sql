-- Metrics with bootstrap intervals, by model, split, protocol and slice of the users.
CREATE TABLE IF NOT EXISTS ${table} (
  model       STRING NOT NULL COMMENT 'model name, or champion',
  fingerprint STRING NOT NULL COMMENT 'settings and training snapshot of the model, as in its registered version',
  split       STRING NOT NULL COMMENT 'valid or test',
  protocol    STRING NOT NULL COMMENT 'full (all items ranked), sampled-uniform or sampled-popularity (drawn candidates only)',
  slice       STRING NOT NULL COMMENT 'all; new users (few events before the target) or cold items (targets with few training events), see evaluate.*; event n, later events: where all held-out events are targets',
  metric      STRING NOT NULL COMMENT 'hr@10, ndcg@10, mrr@10, coverage@10, shown_popularity@10, latency_p50_ms and latency_p99_ms (one recommendation), size_mib (the model folder), and the like',
  value       DOUBLE NOT NULL COMMENT 'mean over users, share of items for coverage, or the unit in the name',
  low         DOUBLE COMMENT 'lower end of the bootstrap interval, null where there is none',
  high        DOUBLE COMMENT 'upper end of the bootstrap interval, null where there is none',
  users       BIGINT NOT NULL COMMENT 'users evaluated'
) USING DELTA
COMMENT 'Metrics with bootstrap intervals'
TBLPROPERTIES ('sequoia.schemaVersion' = '2', 'delta.enableDeletionVectors' = 'false', 'delta.columnMapping.mode' = 'none');
ALTER TABLE ${table} ADD CONSTRAINT value_is_a_share_or_a_cost CHECK (value >= 0 AND (value <= 1 OR metric LIKE 'latency%' OR metric LIKE 'size%'));
