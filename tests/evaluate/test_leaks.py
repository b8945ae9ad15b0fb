"""Which test targets a model was trained on, told from its sequences of then and those of today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from evaluate.world import USERS, write_tables
from pyspark.sql import functions as F

from sequoia.buckets.arrays import scratch_folder
from sequoia.evaluate.leaks import find_leaks
from sequoia.modelling.trained_on import TrainedOn
from sequoia.road.stage import Context
from sequoia.sequences.identity import current_sequences

MakeContext = Callable[..., Context]
BIT = 3  # users whose last event came on the second day


def leaks(context: Context, origin: TrainedOn | None) -> dict[int, bool | None]:
    """Return what is marked for the test rows of each user."""
    users = np.array([row["user_id"] for row in context.tables.read("sequences").select("user_id").collect()])
    with scratch_folder(context.config.workspace_path, context.run_id, "test") as folder:
        how = find_leaks(context, {"champion": origin}, folder)["champion"]
        assert how.column("valid", users).to_pylist() == [False] * USERS
        return dict(zip(users.tolist(), how.column("test", users).to_pylist(), strict=True))


def cut_back(context: Context) -> None:
    """Take the last two events of three users away, as an erasure would."""
    sequences = context.tables.read("sequences")
    short = F.col("user_id") < 2 + BIT
    arrays = ("items", "times", "ratings")
    shorter = {
        name: F.when(short, F.slice(name, 1, F.col("length") - 2)).otherwise(F.col(name)) for name in arrays
    }
    lengths = {
        "length": F.col("length") - F.when(short, 2).otherwise(0),
        "loo_train": F.col("loo_train") - F.when(short, 2).otherwise(0),
        "time_train": F.col("time_train") - F.when(short, 2).otherwise(0),
        "time_valid": F.col("time_valid") - F.when(short, 2).otherwise(0),
    }
    context.tables.overwrite("sequences", sequences.withColumns({**shorter, **lengths}))


def test_leaks_are_found_in_the_sequences_of_then_or_said_to_be_unknown(make_context: MakeContext) -> None:
    context = make_context()
    write_tables(context)
    before = current_sequences(context)
    assert (before.events, before.newest) == (sum(4 + user % 4 for user in range(USERS)), 7)
    # Users walk 4 to 7 steps at times 1, 2, ...: all but the last two train.
    assert (before.newest_training, before.first_target) == (5, 4)

    # The very sequences of today.
    assert set(leaks(context, before).values()) == {False}

    # Without the last two events of three users their last training event of then is the test target of now.
    cut_back(context)
    found = leaks(context, before)
    assert {user for user, leaked in found.items() if leaked} == set(range(2, 2 + BIT))
    assert context.tables.reads["sequences"] == context.tables.version("sequences")

    # A model from another table, under the same split, with less data: only growth would prove its innocence.
    elsewhere = replace(before, table="another")
    assert set(leaks(context, elsewhere).values()) == {None}
    assert set(leaks(context, replace(elsewhere, events=10)).values()) == {False}
    assert set(leaks(context, replace(elsewhere, events=10, split={"split": "time"})).values()) == {None}
    # Trained on nothing as young as the first target of today.
    old = replace(elsewhere, newest_training=1, split={"split": "time"})
    assert set(leaks(context, old).values()) == {False}
    assert set(leaks(context, None).values()) == {None}


def test_when_the_old_version_is_gone_it_cannot_be_told(make_context: MakeContext) -> None:
    context = make_context()
    write_tables(context)
    before = current_sequences(context)
    cut_back(context)
    # As VACUUM does: only files of the newest version are left.
    folder = Path(context.config.workspace_path) / "warehouse" / "sequences"
    now = {Path(uri).name for uri in context.tables.read("sequences").inputFiles()}
    for file in folder.glob("*.parquet"):
        if file.name not in now:
            file.unlink()
    assert set(leaks(context, before).values()) == {None}
    # As when the log is cleaned: the version is not known.
    assert set(leaks(context, replace(before, version=before.version + 99)).values()) == {None}
