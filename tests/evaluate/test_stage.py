from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from evaluate.world import ITEMS, RAW, USERS, drawing_of, save_counting, train, walk, write_tables
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.evaluate.stage import run
from sequoia.evaluate.summary import ALL
from sequoia.evaluate.worker import read_users
from sequoia.modelling.item_index import ItemIndex
from sequoia.modelling.trained import TrainedModel, write_trained
from sequoia.promote.shared_users import joint_histograms
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import start_run

MakeContext = Callable[..., Context]
pytestmark = pytest.mark.usefixtures("with_store")


def promote_by_hand(context: Context, folder: Path, fingerprint: str) -> None:
    connection = connect(context.config)
    uri = log_model(connection, start_run(connection, "by hand").id, "counting", folder, [])
    version = registry.register(connection, uri, {registry.FINGERPRINT: fingerprint})
    registry.move_alias(connection, "champion", version)


def test_ranks_and_metrics_of_the_ring(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context()
    write_tables(context)
    # counting knows the way; sasrec goes two steps too far and has the target in its popular tail.
    train(context, "first", counting=1, sasrec=3)
    # The champion comes from a shop with other numbers and without the last ten items, in reverse order.
    promote_by_hand(context, save_counting(tmp_path / "old", step=-1, raw=RAW[19::-1], first_id=500), "old")

    result = run(context)

    assert result.rows_in == 2 * USERS
    assert result.rows_out == 3 * 2 * USERS == context.tables.read("ranks").count()
    ranks = {
        (row["model"], row["split"], row["user_id"] - 2): row
        for row in context.tables.read("ranks").collect()
    }
    for user in range(USERS):
        items = walk(user)
        right = ranks["counting", "test", user]
        assert (right["rank"], right["target"], right["uniform_rank"]) == (1, items[-1] + 2, 1)
        assert right["recommended"][0] == items[-1] + 2
        assert not {item + 2 for item in items[:-1]} & set(right["recommended"])
        assert right["popularity_rank"] == 1
        assert ranks["counting", "valid", user]["target"] == items[-2] + 2
        # One step back in the reversed index is one step forward on the ring.
        known = items[-1] < 20 and items[-2] < 20
        if known:
            assert ranks["champion", "test", user]["rank"] == 1
        if items[-1] >= 20:
            assert ranks["champion", "test", user]["rank"] == 21
            assert ranks["champion", "test", user]["uniform_rank"] == 21
        assert max(ranks["champion", "test", user]["recommended"]) < 22

    # By hand: user 0 walks 0 1 2 | 3. sasrec votes for 2 + 3 = 5, then the popular unseen: 3 is the next one.
    assert ranks["sasrec", "test", 0]["rank"] == 2
    assert ranks["sasrec", "test", 0]["uniform_rank"] == 2
    check_metrics(context, result.details)
    check_mlflow(context)

    # The ring has nothing held out under the time split: one sentence, and the tables stay as they are.
    with pytest.raises(UserError, match=r"no user has a held-out event in split valid.*leave-one-out"):
        run(make_context("sequences.split=time"))
    assert context.tables.version("ranks") == context.tables.writes["ranks"]


def test_all_events_of_a_span_are_ranked_and_the_gate_s_user_counts_once(
    make_context: Callable[..., Context],
) -> None:
    context = make_context("sequences.split=time", "evaluate.targets=all", "evaluate.bootstrap_samples=100")
    write_tables(context, spans=(1, 2))
    context.tables.overwrite("negatives", context.tables.read("negatives").limit(0))
    train(context, "first", counting=1, sasrec=3)
    result = run(context)
    assert result.rows_in == 3 * USERS
    ranks = context.tables.read("ranks").where("model = 'counting' AND split = 'test'").collect()
    assert {(row["user_id"] - 2, row["number"], row["target"] - 2) for row in ranks} == {
        (user, number, walk(user)[number - 3]) for user in range(USERS) for number in (1, 2)
    }
    assert {row["rank"] for row in ranks} == {1}
    slices = context.tables.read("metrics").where(
        "metric = 'hr@1' AND split = 'test' AND protocol = 'full' AND model = 'counting'"
    )
    assert {(row["slice"], row["users"]) for row in slices.collect()} >= {
        ("all", 2 * USERS), ("event 1", USERS), ("event 2", USERS),
    }  # fmt: skip
    assert joint_histograms(context, "counting", ["sasrec"])["sasrec", ALL].sum() == USERS


def check_metrics(context: Context, details: dict[str, object]) -> None:
    perfect = {"value": 1.0, "low": 1.0, "high": 1.0}
    assert json.loads(json.dumps(details)) == details
    assert details["users"] == USERS
    assert details["metrics"]["counting"]["ndcg@10"] == perfect  # type: ignore[index]
    assert details["valid"]["counting"]["hr@1"] == perfect  # type: ignore[index]
    assert details["sampled"]["sampled-uniform"]["counting"]["mrr@5"] == perfect  # type: ignore[index]
    sasrec = details["metrics"]["sasrec"]["hr@10"]  # type: ignore[index]
    assert 0 < sasrec["low"] < sasrec["value"] < sasrec["high"] < 1
    table = context.tables.read("metrics")
    users = table.where("protocol = 'sampled-popularity' AND metric = 'hr@1' AND split = 'test'")
    assert {row["users"] for row in users.collect()} == {USERS}
    marks = {
        row["model"]: row["fingerprint"] for row in table.select("model", "fingerprint").distinct().collect()
    }
    assert marks == {"counting": "counting-1", "sasrec": "sasrec-3", "champion": "old"}
    firsts = {walk(user)[-1] for user in range(USERS)}
    assert details["metrics"]["counting"]["coverage@1"]["value"] == len(firsts) / ITEMS  # type: ignore[index]
    assert table.where(F.col("metric").startswith("coverage") & F.col("low").isNotNull()).count() == 0


def check_mlflow(context: Context) -> None:
    (found,) = connect(context.config).client.search_runs(
        [connect(context.config).experiment_id], "attributes.run_name = 'counting'"
    )
    assert found.info.status == "FINISHED"
    assert found.data.metrics["test/ndcg_at_10"] == 1.0
    assert found.data.metrics["test/sampled-uniform/hr_at_1_low"] == 1.0


def test_negatives_of_another_split_are_refused(tmp_path: Path) -> None:
    save_counting(tmp_path / "ring", step=1)
    vocabulary = ItemIndex.read(tmp_path / "ring")
    drawing = drawing_of(tmp_path / "ring")

    def users(target: int, seed: int) -> pa.RecordBatch:
        return pa.RecordBatch.from_pydict(
            {
                "user_id": pa.array([2], pa.int64()),
                "split": ["test"],
                "items": pa.array([[2, 3, 4]], pa.list_(pa.int64())),
                "place": pa.array([2], pa.int32()),
                "number": pa.array([1], pa.int32()),
                "uniform_target": pa.array([target], pa.int32()),
                "uniform_seed": pa.array([seed], pa.int64()),
                "uniform": pa.array([[9]], pa.list_(pa.int32())),
                "popularity_target": pa.array([None], pa.int32()),
                "popularity_seed": pa.array([None], pa.int64()),
                "popularity": pa.array([None], pa.list_(pa.int32())),
            }
        )

    found = read_users(users(4, 7), vocabulary, drawing)
    assert [rows.tolist() for rows in found.histories.lists()] == [[2, 3]]
    assert found.candidates["uniform"][0].tolist() == [9]
    assert len(found.candidates["popularity"][0]) == 3
    for target, seed, differs in ((5, 7, "target"), (4, 8, "seed")):
        with pytest.raises(UserError, match=rf"\({differs} differs\): run `sequoia negatives` again"):
            read_users(users(target, seed), vocabulary, drawing)


def test_without_training_there_is_one_sentence(make_context: MakeContext) -> None:
    with pytest.raises(UserError, match=r"latest\.json does not exist.*sequoia train"):
        run(make_context())


def test_a_model_folder_that_is_gone_is_named(make_context: MakeContext) -> None:
    context = make_context()
    workspace = context.config.workspace_path
    gone = TrainedModel(folder=workspace / "models" / "gone", mlflow_run_id="r", fingerprint="f")
    write_trained(workspace, "run", {"counting": gone})
    with pytest.raises(UserError, match=r"models/gone of model counting"):
        run(context)
