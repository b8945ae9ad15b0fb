"""Rank all items for every held-out event with every model, and sum up in metrics with intervals."""

from __future__ import annotations

from pathlib import Path

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.publish import log_test_metrics, metrics_details, write_metrics
from sequoia.evaluate.summary import Metric, covered_items, metric_rows, rank_histograms
from sequoia.evaluate.users import count_held_out, held_out_users
from sequoia.evaluate.worker import RANKED_SPARK, ranking_function
from sequoia.models.trained import read_trained
from sequoia.sequences.held_out import Split
from sequoia.stage import Context, StageResult
from sequoia.tables.snapshot import take_snapshot
from sequoia.tracking.connection import connect
from sequoia.tracking.registry import fetch_folder, find_alias, registered_cache

CHAMPION = "champion"


def run(context: Context) -> StageResult:
    """Evaluate the trained models, and the champion where there is one, on the same users."""
    trained = read_trained(context.config.workspace_path)
    users = count_held_out(context)
    folders = {name: model.folder for name, model in trained.items()}
    fingerprints = {name: model.fingerprint for name, model in trained.items()}
    if champion := _champion(context):
        folders[CHAMPION], fingerprints[CHAMPION] = champion
    num_items = _rank(context, folders)
    metrics = _measure(context, num_items, users)
    write_metrics(context, metrics, fingerprints)
    log_test_metrics(context, metrics, {name: model.mlflow_run_id for name, model in trained.items()})
    held_out = sum(users.values())
    details = {"users": users["test"], "items": num_items, **metrics_details(metrics)}
    return StageResult(rows_in=held_out, rows_out=held_out * len(folders), details=details)


def _champion(context: Context) -> tuple[Path, str] | None:
    connection = connect(context.config)
    version = find_alias(connection, context.config.promote.alias)
    if version is None:
        return None
    context.say(f"champion is version {version.number} of {version.name}")
    return fetch_folder(connection, version, registered_cache(context.config)), version.fingerprint


def _rank(context: Context, folders: dict[str, Path]) -> int:
    vocabulary = take_snapshot(context.tables, "vocabulary")
    files = tuple(file.path for file in vocabulary.files)
    context.say(f"ranking {vocabulary.rows:,} items for each held-out event with {', '.join(folders)}")
    ranked = held_out_users(context).mapInArrow(ranking_function(folders, files), RANKED_SPARK)
    context.tables.overwrite("ranks", ranked)
    return vocabulary.rows


def _measure(context: Context, num_items: int, users: dict[Split, int]) -> list[Metric]:
    ranks = context.tables.read("ranks")
    histograms = rank_histograms(ranks)
    for measured, counts in histograms.items():
        expected = users["valid" if measured.split == "valid" else "test"]
        assert measured.protocol != "full" or counts.sum() == expected, f"{counts.sum()} of {expected} ranked"
    settings = context.config.evaluate
    bootstrap = Bootstrap(
        samples=settings.bootstrap_samples, confidence=settings.confidence, seed=context.config.seed
    )
    context.say(f"{users['test']:,} test users, {bootstrap.samples:,} resamples")
    return metric_rows(histograms, covered_items(ranks), num_items, bootstrap)
