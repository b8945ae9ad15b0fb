"""What a worker makes of models that are not sound: each is refused alone, by name; the task goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from evaluate.world import RAW, drawing_of, save_counting
from safetensors.numpy import load_file, save_file

from sequoia.evaluate.leaks import Leaks
from sequoia.evaluate.protocol import RankingProtocol
from sequoia.evaluate.worker import Outcome, Ranking, Users, rank_rows, rank_with, read_users
from sequoia.modelling.item_index import ItemIndex
from sequoia.models.sasrec import SasRec


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return save_counting(tmp_path / "sound", step=1)


def save_neural(folder: Path) -> Path:
    """Write a small SASRec of the same items."""
    save_counting(folder, step=1)
    settings = {"width": 4, "blocks": 1, "heads": 1, "max_length": 3, "dropout": 0.0}
    SasRec.make(settings, len(RAW) + 2).save(folder, extra={})
    return folder


def ranked(
    folder: Path,
    vocabulary: ItemIndex,
    users: Users,
    *,
    own_index: bool,
    device: str = "cpu",
    **protocol: Any,
) -> Outcome:
    ranking = Ranking(
        folders={"it": folder},
        own_index=frozenset({"it"} if own_index else ()),
        drawing=drawing_of(folder),
        leaks={"it": Leaks(told=True)},
        protocol=RankingProtocol(**{"hide_seen": True, "ties": "pessimistic", "seed": 7, **protocol}),
    )
    return rank_with("it", ranking, vocabulary, users, device)


def batch() -> pa.RecordBatch:
    """Two users: one walks from 2 to 4, the other from 5 to 6."""
    nothing = pa.array([None, None], pa.list_(pa.int32()))
    targets, seeds = pa.array([None, None], pa.int32()), pa.array([None, None], pa.int64())
    return pa.RecordBatch.from_pydict(
        {
            "user_id": pa.array([7, 8], pa.int64()),
            "split": pa.array(["valid", "valid"]),
            "items": pa.array([[2, 3, 4], [5, 6]], pa.list_(pa.int64())),
            "place": pa.array([2, 1], pa.int32()),
            "number": pa.array([1, 1], pa.int32()),
            "uniform_target": targets,
            "uniform_seed": seeds,
            "uniform": nothing,
            "popularity_target": targets,
            "popularity_seed": seeds,
            "popularity": nothing,
        }
    )


def users_of(vocabulary: ItemIndex, folder: Path) -> Users:
    return read_users(batch(), vocabulary, drawing_of(folder))


def test_a_sound_model_has_no_problem_and_says_what_it_shows(sound: Path) -> None:
    vocabulary = ItemIndex.read(sound)
    users = users_of(vocabulary, sound)
    rows = rank_rows(users, ranked(sound, vocabulary, users, own_index=True), vocabulary).to_pylist()
    assert [row["problem"] for row in rows] == [None, None]
    assert [row["rank"] for row in rows] == [1, 1]
    assert [row["history_events"] for row in rows] == [2, 1]
    # Item n was bought 100 - n times: rows 4 and 6 are items 2 and 4.
    assert [row["target_events"] for row in rows] == [98, 96]
    # Shown to the first: item 2 and then the best sellers but for the seen 0 and 1, that is 3 to 11.
    shares = [(30 - item) / 30 for item in range(2, 12)]
    assert rows[0]["shown_popularity"] == pytest.approx(np.mean(shares))


def test_a_model_of_another_item_index_is_refused_where_it_should_be_today_s(
    sound: Path, tmp_path: Path
) -> None:
    other = save_counting(tmp_path / "other", step=1, raw=RAW[::-1])
    vocabulary = ItemIndex.read(sound)
    users = users_of(vocabulary, sound)
    assert ranked(other, vocabulary, users, own_index=True).problems == ["index", "index"]
    # A champion may have an index of its own.
    assert ranked(other, vocabulary, users, own_index=False).problems == [None, None]


def test_a_model_with_nan_in_its_weights_misses_and_says_so(tmp_path: Path, sound: Path) -> None:
    broken = save_counting(tmp_path / "broken", step=1)
    weights = load_file(broken / "weights.safetensors")
    kind = next(name for name, tensor in weights.items() if tensor.dtype.kind == "f")
    save_file({**weights, kind: np.full_like(weights[kind], np.nan)}, broken / "weights.safetensors")
    vocabulary = ItemIndex.read(sound)
    outcome = ranked(broken, vocabulary, users_of(vocabulary, sound), own_index=True)
    assert outcome.problems == ["nan", "nan"]
    assert outcome.ranks["full"].min() > 20
    assert not outcome.top_BK.any()


def test_a_folder_that_cannot_be_opened_says_why(tmp_path: Path, sound: Path) -> None:
    damaged, foreign = (save_counting(tmp_path / name, step=1) for name in ("damaged", "foreign"))
    (damaged / "weights.safetensors").write_bytes(b"not weights")
    about = json.loads((foreign / "model.json").read_text())
    (foreign / "model.json").write_text(json.dumps(about | {"kind": "oracle"}))
    vocabulary = ItemIndex.read(sound)
    users = users_of(vocabulary, sound)
    for folder, words in ((damaged, "header"), (foreign, "unknown kind 'oracle'")):
        problems = ranked(folder, vocabulary, users, own_index=True).problems
        assert problems[0] is not None and words in problems[0].lower()


def test_a_file_system_that_fails_is_no_judgement_on_the_model(tmp_path: Path, sound: Path) -> None:
    vocabulary = ItemIndex.read(sound)
    with pytest.raises(FileNotFoundError):
        ranked(tmp_path / "unmounted", vocabulary, users_of(vocabulary, sound), own_index=True)


def test_a_device_that_fails_is_no_judgement_on_the_model(tmp_path: Path) -> None:
    folder = save_neural(tmp_path / "neural")
    vocabulary = ItemIndex.read(folder)
    with pytest.raises((RuntimeError, AssertionError), match=r"CUDA|cuda|NVIDIA"):
        ranked(folder, vocabulary, users_of(vocabulary, folder), own_index=True, device="cuda:99")
