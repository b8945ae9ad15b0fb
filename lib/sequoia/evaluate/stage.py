"""Rank all items for every held-out event with every model, and sum up in metrics with intervals."""

from __future__ import annotations

from pyspark.sql import functions as F

from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.cost import measure_costs
from sequoia.evaluate.leaks import mark_leaks
from sequoia.evaluate.problems import find_problems
from sequoia.evaluate.publish import log_test_metrics, metrics_details, write_metrics
from sequoia.evaluate.summary import (
    ALL,
    FULL,
    Measured,
    Metric,
    Slices,
    covered_items,
    metric_rows,
    plain_metrics,
    rank_histograms,
    shown_popularity,
)
from sequoia.evaluate.users import count_held_out, held_out_users
from sequoia.evaluate.worker import RANKED_SPARK, ranking_function
from sequoia.models.trained import read_refused, read_trained, refuse_trained
from sequoia.models.trained_on import read_trained_on
from sequoia.negatives.draw import drawing
from sequoia.road.stage import Context, StageResult
from sequoia.sequences.held_out import Split
from sequoia.storage import Location
from sequoia.tables.snapshot import take_snapshot
from sequoia.together import together
from sequoia.tracking.connection import connect
from sequoia.tracking.registered_folder import fetch_folder, registered_cache
from sequoia.tracking.registry import find_alias

CHAMPION = "champion"


def run(context: Context) -> StageResult:
    """Evaluate the trained models, and the champion where there is one, on the same users.

    A trained model that is not sound is refused by name; metrics are those of the others.
    """
    workspace = context.config.workspace_path
    trained = read_trained(workspace)
    users = count_held_out(context)
    folders = {name: model.folder for name, model in trained.items()}
    fingerprints = {name: model.fingerprint for name, model in trained.items()}
    if champion := _champion(context):
        folders[CHAMPION], fingerprints[CHAMPION] = champion
    num_items = _rank(context, folders, frozenset(trained))
    problems = find_problems(context.tables.read("ranks"))
    for name, problem in problems.items():
        context.say(f"{name} is refused: it {problem}")
    if unsound := {name: f"it {problem}" for name, problem in problems.items() if name in trained}:
        refuse_trained(workspace, unsound)
    sound = {name: folder for name, folder in folders.items() if name not in problems}
    metrics = _measure(context, sound, num_items, users)
    write_metrics(context, metrics, fingerprints)
    log_test_metrics(
        context, metrics, {name: trained[name].mlflow_run_id for name in trained if name in sound}
    )
    held_out = sum(users.values())
    details = {
        "users": users["test"],
        "items": num_items,
        "refused": read_refused(workspace) | problems,
        **metrics_details(metrics),
    }
    return StageResult(rows_in=held_out, rows_out=held_out * len(folders), details=details)


def _champion(context: Context) -> tuple[Location, str] | None:
    connection = connect(context.config)
    version = find_alias(connection, context.config.promote.alias)
    if version is None:
        return None
    context.say(f"champion is version {version.number} of {version.name}")
    return fetch_folder(connection, version, registered_cache(context.config)), version.fingerprint


def _rank(context: Context, folders: dict[str, Location], own_index: frozenset[str]) -> int:
    vocabulary = take_snapshot(context.tables, "vocabulary")
    files = tuple(file.path for file in vocabulary.files)
    context.say(f"ranking {vocabulary.rows:,} items for each held-out event with {', '.join(folders)}")
    function = ranking_function(folders, own_index, drawing(context.config, files))
    ranked = held_out_users(context).mapInArrow(function, RANKED_SPARK)
    origins = {name: read_trained_on(folder) for name, folder in folders.items()}
    context.tables.overwrite("ranks", mark_leaks(context, ranked, origins))
    return vocabulary.rows


def _measure(
    context: Context, sound: dict[str, Location], num_items: int, users: dict[Split, int]
) -> list[Metric]:
    settings = context.config.evaluate
    ranks = context.tables.read("ranks").where(F.col("model").isin(list(sound)))
    slices = Slices(new_user_events=settings.new_user_events, cold_item_events=settings.cold_item_events)
    histograms, covered, shown = together(
        lambda: rank_histograms(ranks, slices), lambda: covered_items(ranks), lambda: shown_popularity(ranks)
    )
    for measured, counts in histograms.items():
        expected = users["valid" if measured.split == "valid" else "test"]
        whole = (measured.protocol, measured.slice) == (FULL, ALL)
        assert not whole or counts.sum() == expected, f"{counts.sum()} of {expected} ranked"
    bootstrap = Bootstrap(
        samples=settings.bootstrap_samples, confidence=settings.confidence, seed=context.config.seed
    )
    context.say(f"{users['test']:,} test users, {bootstrap.samples:,} resamples")
    rows = metric_rows(histograms, covered, shown, num_items, bootstrap)
    for name, (costs, requests) in measure_costs(context, sound).items():
        rows += plain_metrics(Measured(model=name, split="test", protocol=FULL), costs, requests)
    return rows
