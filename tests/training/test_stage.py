"""The train stage on the ring of evaluate/world.py, with one process and tiny models."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evaluate.world import ITEMS, USERS, walk, write_tables
from pyspark.sql import Row
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.modelling.trained import read_trained
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import Run
from sequoia.training import stage
from sequoia.training.data import training_data
from sequoia.training.epoch_report import report
from sequoia.training.stage import run

MakeContext = Callable[..., Context]
pytestmark = pytest.mark.usefixtures("with_store")
SHARDS, WINDOW = 4, 6
TINY = [
    *(
        "training.launcher=single",
        "training.processes=1",
        f"training.lanes={SHARDS}",
        "training.batch_size=8",
    ),
    *("training.patience=10", "training.warmup_steps=1"),
    *("models.sasrec.width=8", "models.sasrec.blocks=1", f"models.sasrec.max_length={WINDOW - 1}"),
    *("models.counting.window=[2]", "models.counting.last=[2]", "models.counting.decay=[0.5]"),
]


def write_training(context: Context, users: int = USERS) -> None:
    """Write all events but the last two of each user's walk, padded on the left."""
    rows = []
    for user in range(users):
        items = [number + 2 for number in walk(user)[:-2]]
        padded = [0] * (WINDOW - len(items)) + items
        zeros, no_stars = [0] * WINDOW, [0.0] * WINDOW
        rows.append((user % SHARDS, user + 2, padded, zeros, no_stars, len(items)))
    schema = context.tables.schema("training")
    context.tables.overwrite("training", context.spark.createDataFrame(rows, schema))


def history(details: dict[str, Any], kind: str = "sasrec") -> list[float]:
    return [note["loss"] for note in details["models"][kind]["history"]]


def test_models_are_trained_logged_taken_again_and_gone_on_from(make_context: MakeContext) -> None:
    context = make_context(*TINY, "training.epochs=2")
    write_tables(context)
    write_training(context)
    first = run(context)
    assert (first.rows_in, first.rows_out) == (USERS, 2)
    assert first.details["snapshot"]["version"] == context.tables.version("training")
    check_pairs(context)
    check_mlflow(context, history(first.details))

    folders = {kind: model.folder for kind, model in read_trained(context.config.workspace_path).items()}
    written = {path: path.stat().st_mtime_ns for folder in folders.values() for path in folder.iterdir()}
    again = run(context)
    assert again.details["models"] == first.details["models"]
    assert written == {path: path.stat().st_mtime_ns for path in written}

    # The stage before ran again: other files and versions, the same rows.
    write_tables(context)
    write_training(context)
    rewritten = run(context)
    assert rewritten.details["snapshot"]["version"] > first.details["snapshot"]["version"]
    assert rewritten.details["models"] == first.details["models"]
    assert written == {path: path.stat().st_mtime_ns for path in written}

    # A longer training starts where the shorter one ended, its first epochs are not run again.
    mark = first.details["models"]["sasrec"]["fingerprint"]
    source = context.config.workspace_path / "checkpoints" / f"sasrec-{mark}"
    longer = [*TINY, "training.models=[sasrec]", "training.epochs=3", f"training.resume_from={source}"]
    resumed = run(make_context(*longer))
    assert len(history(resumed.details)) == 3
    assert history(resumed.details)[:2] == history(first.details)

    refused = make_context(*longer, "models.sasrec.width=16")
    before = sorted(source.parent.iterdir())
    with pytest.raises(UserError, match="of another model: its width is 8, this run's is 16"):
        run(refused)
    assert sorted(source.parent.iterdir()) == before
    trained = read_trained(context.config.workspace_path)
    assert trained["sasrec"].fingerprint == resumed.details["models"]["sasrec"]["fingerprint"]


def wait_for_epoch(workspace: Path, epoch: int) -> None:
    """Wait until a checkpoint of so many epochs is there."""
    while not any(int(path.name[6:11]) >= epoch for path in workspace.glob("checkpoints/*/epoch-*")):
        time.sleep(0.01)


@pytest.mark.parametrize("trained_meanwhile", [2, 3])
def test_an_interrupted_training_goes_on_in_its_mlflow_run(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, trained_meanwhile: int
) -> None:
    """The training process may have ended further epochs when its launching one fails."""
    context = make_context(*TINY, "training.models=[sasrec]", "training.epochs=3")
    write_tables(context)
    write_training(context)

    def fail_in_the_second_epoch(
        context: Context, kind: str, run: Run, note: dict[str, Any], bar: Any
    ) -> None:
        report(context, kind, run, note, bar)
        if note["epoch"] == 1:
            wait_for_epoch(Path(context.config.workspace), trained_meanwhile)
            raise OSError("the cluster is gone")

    with monkeypatch.context() as patched:
        patched.setattr(stage, "report", fail_in_the_second_epoch)
        with pytest.raises(OSError, match="the cluster is gone"):
            run(context)
    client, experiment = connect(context.config).client, connect(context.config).experiment_id
    [failed] = client.search_runs([experiment], "attributes.run_name = 'sasrec'")
    assert failed.info.status == "FAILED"

    # With other processes, which MLflow would not take as another value of the same parameter.
    done = run(make_context(*TINY, "training.models=[sasrec]", "training.epochs=3", "training.threads=2"))
    [ended] = client.search_runs([experiment], "attributes.run_name = 'sasrec'")
    assert (ended.info.run_id, ended.info.status) == (failed.info.run_id, "FINISHED")
    trained = read_trained(context.config.workspace_path)["sasrec"]
    assert trained.mlflow_run_id == ended.info.run_id
    logged = client.get_metric_history(ended.info.run_id, "train/loss")
    assert {metric.step: metric.value for metric in logged} == dict(enumerate(history(done.details)))
    assert not [path.name for path in trained.folder.iterdir() if "unfinished" in path.name]


def test_a_training_starts_from_the_champion(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    warm = [*TINY, "training.models=[sasrec]", "training.warm_start=champion"]
    context = make_context(*warm, "training.epochs=2")
    write_tables(context)
    write_training(context)
    run(context)
    assert "sasrec starts from nothing: there is no champion yet" in capsys.readouterr().err
    trained, connection = read_trained(context.config.workspace_path)["sasrec"], connect(context.config)
    uri = log_model(connection, trained.mlflow_run_id, "sasrec", trained.folder, ["i00"])
    version = registry.register(connection, uri, {registry.FINGERPRINT: trained.fingerprint})
    registry.move_alias(connection, "champion", version)
    run(make_context(*warm, "training.epochs=1"))
    told = capsys.readouterr().err
    assert f"sasrec starts warm: {ITEMS} items from 1-{trained.fingerprint}, 0 new ones at random" in told
    with pytest.raises(UserError, match="holds no model"):
        run(
            make_context(*TINY, "training.models=[sasrec]", f"training.warm_start={context.config.workspace}")
        )


def check_pairs(context: Context) -> None:
    """Compare the counted pairs with those of a walk through all training events."""
    expected: dict[tuple[int, int, int], int] = {}
    for user in range(USERS):
        items = [number + 2 for number in walk(user)[:-2]]
        for distance in (1, 2):
            for pair in zip(items, items[distance:], strict=False):
                expected[*pair, distance] = expected.get((*pair, distance), 0) + 1
    rows: list[Row] = context.tables.read("cooccurrences").collect()
    found = {(row["item"], row["next_item"], row["distance"]): row["pairs"] for row in rows}
    assert found == expected
    assert len({item for item, _, _ in found}) == ITEMS


def check_mlflow(context: Context, losses: list[float]) -> None:
    client = connect(context.config).client
    trained = read_trained(context.config.workspace_path)["sasrec"]
    logged = client.get_metric_history(trained.mlflow_run_id, "train/loss")
    assert [metric.value for metric in sorted(logged, key=lambda metric: metric.step)] == losses
    told = client.get_run(trained.mlflow_run_id)
    assert told.info.status == "FINISHED"
    assert told.data.tags["sequoia.training_version"] == str(context.tables.version("training"))
    assert told.data.params["training.epochs"] == "2"
    assert json.loads((trained.folder / "model.json").read_text())["best_epoch"] in (0, 1)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("training", {"ratings": "transform(ratings, stars -> CAST(1 AS FLOAT))"}),
        ("vocabulary", {"events": "events + IF(row = 7, 1, 0)"}),
        # The last item but one is what validation asks for.
        ("sequences", {"items": "IF(user_id = 5, reverse(items), items)"}),
    ],
)
def test_other_rows_in_any_input_are_other_data(
    make_context: MakeContext, table: str, change: dict[str, str]
) -> None:
    context = make_context(*TINY)
    write_tables(context)
    write_training(context)
    before = training_data(context)
    changed = context.tables.read(table).withColumns({name: F.expr(text) for name, text in change.items()})
    context.tables.overwrite(table, changed)
    after = training_data(context)
    assert after.fingerprint != before.fingerprint
    assert (after.version > before.version) == (table == "training")


def test_an_empty_training_table_is_refused(make_context: MakeContext) -> None:
    context = make_context(*TINY)
    write_training(context, users=0)
    with pytest.raises(UserError, match="the training table is empty: run `sequoia sequences` on more data"):
        run(context)
    assert not (context.config.workspace_path / "models").exists()
