from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from evaluate.world import ITEMS, RAW, save_counting, walk
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.recommend.stage import run
from sequoia.road.stage import Context, StageResult
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.logged_model import log_model
from sequoia.tracking.runs import start_run

MakeContext = Callable[..., Context]
WALKERS = 12
pytestmark = pytest.mark.usefixtures("with_store")

PREDICT = """
import json, sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/sequoia-next-item@champion")
asked = pd.DataFrame({"items": json.loads(sys.argv[2])})
four, ten = model.predict(asked, params={"k": 4}), model.predict(asked)
print(json.dumps([four.to_dict("list"), ten.to_dict("list")]))
"""


def write_interactions(context: Context) -> None:
    rows: list[tuple[object, ...]] = []
    for user in range(WALKERS):
        # Written newest first: order is the stage's business.
        for place, item in reversed(list(enumerate(walk(user)))):
            rows.append((f"u{user:02d}", RAW[item], 1000 + place))
    # Came after training, and bought something that training did not see.
    rows += [("late", "i07", 10), ("late", "new", 20), ("stranger", "new", 5), (None, "i01", 7)]
    # One moment: the tie rule of the sequences decides, here by raw id.
    rows += [("tied", item, 50) for item in ("i21", "i22", "i20")]
    filled = [(*row, None, None, None, "file") for row in rows]
    schema = context.tables.schema("interactions")
    context.tables.overwrite("interactions", context.spark.createDataFrame(filled, schema))
    items = [(RAW[item], f"Title {item}", None, None, [], None, 0) for item in range(ITEMS - 5)]
    context.tables.overwrite("items", context.spark.createDataFrame(items, context.tables.schema("items")))


def register_champion(context: Context) -> None:
    folder = save_counting(context.config.workspace_path / "models" / "run" / "counting", step=1)
    (folder / "valid_users.parquet").write_bytes(b"not part of the model")
    connection = connect(context.config)
    uri = log_model(connection, start_run(connection, "counting").id, "counting", folder, ["i00"])
    version = registry.register(connection, uri, {registry.FINGERPRINT: "f"})
    registry.move_alias(connection, "champion", version)


def test_every_user_is_served_and_the_registered_model_says_the_same(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context("recommend.k=4", "recommend.sample_users=3", "sequences.ties=item")
    write_interactions(context)
    check_no_champion_yet(context, capsys)
    register_champion(context)

    before = datetime.now(UTC)
    result = run(context)

    assert (result.rows_in, result.rows_out) == (WALKERS + 3, WALKERS + 3)
    rows = {row["user"]: row for row in context.tables.read("recommendations").collect()}
    for user in range(WALKERS):
        row, items = rows[f"u{user:02d}"], walk(user)
        assert row["items"][0] == RAW[(items[-1] + 1) % ITEMS]
        assert not set(row["items"]) & {RAW[item] for item in items}
        assert row["scores"] == sorted(row["scores"], reverse=True)
    assert (rows["late"]["items"][0], rows["late"]["basis"]) == ("i08", "sequence")
    assert (rows["stranger"]["items"], rows["stranger"]["basis"]) == (RAW[:4], "popular")
    assert rows["tied"]["items"][0] == "i23"
    [(*origin, recommended)] = {tuple(row)[4:] for row in rows.values()}
    version = context.tables.version("interactions")
    assert origin == ["sequoia-next-item", "1", version, context.run_id]
    assert before <= recommended.astimezone(UTC) <= datetime.now(UTC)
    assert result.details["basis"] == {"sequence": WALKERS + 2, "popular": 1}
    check_samples(result.details["samples"])
    check_registered_model(context, {user: list(row["items"]) for user, row in rows.items()})
    check_the_same_again(make_context, result)


def check_no_champion_yet(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    """See that the stage says so and ends well, with nothing written."""
    result = run(context)
    assert "no champion yet: alias champion of sequoia-next-item names no version" in capsys.readouterr().err
    assert (result.rows_in, result.rows_out) == (0, 0)
    assert result.details["model"] == {"name": "sequoia-next-item", "version": None, "alias": "champion"}
    assert result.details["recommendations"] == {"users": 0, "k": 4}
    assert not context.tables.exists("recommendations")
    recommend = context.config.recommend.model_copy(update={"alias": "champoin"})
    mistyped = Context(context.config.model_copy(update={"recommend": recommend}))
    with pytest.raises(UserError, match=r"alias champoin of .*sequoia-next-item.*sequoia promote"):
        run(mistyped)


def check_the_same_again(make_context: MakeContext, first: StageResult) -> None:
    """See that another run leaves the rows of the first one, their time included, until they would differ."""
    again = make_context("recommend.k=4", "recommend.sample_users=3", "sequences.ties=item")
    written = again.tables.version("recommendations")
    assert run(again) == first
    assert again.tables.writes == {}
    assert again.tables.version("recommendations") == written
    other = make_context("recommend.k=3", "sequences.ties=item")
    run(other)
    rows = other.tables.read("recommendations").select("run_id", "recommended", F.size("items")).distinct()
    [(run_id, _, k)] = rows.collect()
    assert (other.tables.writes, run_id, k) == ({"recommendations": written + 1}, other.run_id, 3)


def check_samples(samples: list[dict[str, object]]) -> None:
    assert len(samples) == 3
    for sample in samples:
        assert json.loads(json.dumps(sample)) == sample
        if sample["user"] != "tied":
            items = walk(int(str(sample["user"])[1:]))
            titles = [f"Title {item}" if item < ITEMS - 5 else RAW[item] for item in items]
            assert sample["history"] == titles
            assert sample["recommended"][0]["item"] == RAW[(items[-1] + 1) % ITEMS]  # type: ignore[index]


def check_registered_model(context: Context, expected: dict[str, list[str]]) -> None:
    """Load by alias in a fresh process: same answers as the table, k of the caller's choice, no pickle."""
    users = ["u00", "late", "stranger"]
    asked = [[RAW[item] for item in walk(0)], ["i07", "new"], []]
    command = [sys.executable, "-c", PREDICT, connect(context.config).tracking_uri, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    four, ten = json.loads(done.stdout.splitlines()[-1])
    assert four["items"] == [expected[user] for user in users]
    assert [len(scores) for scores in ten["scores"]] == [10, 10, 10]
    assert ten["scores"][2] == [float(100 - place) for place in range(10)]
    folder = context.config.workspace_path / "mlartifacts"
    stored = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"model.json", "weights.safetensors", "items.parquet", "next_item_model.py"} <= stored
    assert "valid_users.parquet" not in stored
    assert not [name for name in stored if name.endswith(("pkl", "pickle"))]
