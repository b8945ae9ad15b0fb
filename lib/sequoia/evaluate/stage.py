"""Rank all items for every held-out event with every model, and sum up in metrics with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sequoia.buckets.arrays import scratch_folder
from sequoia.buckets.shuffle import call_tasks
from sequoia.evaluate.bootstrap import Bootstrap
from sequoia.evaluate.cost import measure_costs
from sequoia.evaluate.leaks import find_leaks
from sequoia.evaluate.problems import find_problems
from sequoia.evaluate.protocol import RankingProtocol
from sequoia.evaluate.publish import log_test_metrics, metrics_details, write_metrics
from sequoia.evaluate.summary import (
    ALL,
    FULL,
    Measured,
    Metric,
    Slices,
    count_ranks,
    metric_rows,
    plain_metrics,
)
from sequoia.evaluate.users import Share, held_out_shares
from sequoia.evaluate.worker import Ranking, write_ranks
from sequoia.modelling.folder import event_columns_of
from sequoia.modelling.trained import read_refused, read_trained, refuse_trained
from sequoia.modelling.trained_on import read_trained_on
from sequoia.negatives.draw import drawing
from sequoia.road.stage import Context, StageResult
from sequoia.sequences.held_out import Split
from sequoia.storage import Location
from sequoia.tables.parts import Part
from sequoia.tables.snapshot import take_snapshot
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
    shares, users = held_out_shares(context)
    folders = {name: model.folder for name, model in trained.items()}
    fingerprints = {name: model.fingerprint for name, model in trained.items()}
    if champion := _champion(context):
        folders[CHAMPION], fingerprints[CHAMPION] = champion
    num_items = _rank(context, folders, frozenset(trained), shares)
    problems = find_problems(context)
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


def _rank(
    context: Context, folders: dict[str, Location], own_index: frozenset[str], shares: Sequence[Share]
) -> int:
    tables = context.tables
    vocabulary = take_snapshot(tables, "vocabulary")
    files = tuple(file.path for file in vocabulary.files)
    context.say(f"ranking {vocabulary.rows:,} items for each held-out event with {', '.join(folders)}")
    origins = {name: read_trained_on(folder) for name, folder in folders.items()}
    version, target = tables.begin("ranks"), tables.target("ranks")
    with scratch_folder(context.config.workspace_path, context.run_id, "evaluate") as scratch:
        ranking = Ranking(
            folders=folders,
            own_index=own_index,
            drawing=drawing(context.config, files),
            leaks=find_leaks(context, origins, scratch),
            protocol=RankingProtocol.of(context.config),
            device=context.config.evaluate.device,
            columns=tuple(sorted({name for one in folders.values() for name in event_columns_of(one)})),
        )
        calls = [partial(write_ranks, share, ranking, target) for share in shares]
        parts = [Part(**part) for written in call_tasks(context.spark, calls) for part in written]
    tables.publish("ranks", parts, on=version)
    return vocabulary.rows


def _measure(
    context: Context, sound: dict[str, Location], num_items: int, users: dict[Split, int]
) -> list[Metric]:
    settings = context.config.evaluate
    counted = count_ranks(context, sound, Slices.of(context))
    for measured, counts in counted.histograms.items():
        expected = users["valid" if measured.split == "valid" else "test"]
        whole = (measured.protocol, measured.slice) == (FULL, ALL)
        assert not whole or counts.sum() == expected, f"{counts.sum()} of {expected} ranked"
    bootstrap = Bootstrap(
        samples=settings.bootstrap_samples, confidence=settings.confidence, seed=context.config.seed
    )
    context.say(f"{users['test']:,} test users, {bootstrap.samples:,} resamples")
    rows = metric_rows(counted, num_items, bootstrap)
    for name, (costs, requests) in measure_costs(context, sound).items():
        rows += plain_metrics(Measured(model=name, split="test", protocol=FULL), costs, requests)
    return rows
