"""A warm start takes weights by item id onto a grown vocabulary, or says why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from sequoia.distributed.single import SingleProcess
from sequoia.errors import UserError
from sequoia.modelling.features import NO_FEATURES, FeatureSettings
from sequoia.modelling.item_index import ItemIndex
from sequoia.models.sasrec import SasRec
from sequoia.neural.model import NeuralModel
from sequoia.training.spec import TrainingSpec
from sequoia.training.warm_start import start_warm
from tests.training.test_loop_process import history_of, train

SETTINGS = {"width": 4, "blocks": 1, "heads": 1, "max_length": 5, "dropout": 0.0}


def saved(
    folder: Path,
    items: list[str],
    seed: int,
    *,
    category: Sequence[int] = (),
    features: FeatureSettings = NO_FEATURES,
    **changes: int,
) -> NeuralModel:
    torch.manual_seed(seed)
    folder.mkdir()
    rows = range(2, len(items) + 2)
    index = {"row": rows, "item_id": rows, "item": items, "events": rows}
    index |= {"category": category, "price": [3.5] * len(items)} if category else {}
    pq.write_table(pa.table(index), folder / "items.parquet")
    model = SasRec.make({**SETTINGS, **changes}, len(items) + 2)
    model.add_features(features, ItemIndex.read(folder))
    model.save(folder, extra={})
    return model


def own_items(folder: Path) -> ItemIndex:
    return ItemIndex.read(folder / "own")


def test_vectors_go_with_their_items_and_new_items_keep_theirs(tmp_path: Path) -> None:
    earlier = saved(tmp_path / "earlier", ["a", "b", "c"], 1)
    model = saved(tmp_path / "own", ["b", "x", "c", "y", "a"], 2)
    before = model.table.weight.detach().clone()
    taken = start_warm(model, "sasrec", tmp_path / "earlier", own_items(tmp_path), SingleProcess())
    assert taken == "3 items from earlier, 2 new ones at random"
    assert torch.equal(model.table.weight[[1, 2, 4, 6]], earlier.table.weight[[1, 3, 4, 2]])
    assert torch.equal(model.table.weight[[3, 5]], before[[3, 5]])
    others = dict(earlier.state_dict(), **{"table.weight": model.table.weight})
    assert all(torch.equal(tensor, others[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 8}, r"its table\.weight is 4, this one's is 8; train with its settings"),
        ({"blocks": 2}, r"its blocks\.1\.\S+ is missing, this one's is"),
        ({"max_length": 9}, r"its blocks\.0\.attention\.distance_bias_HL is 1 x 5, this one's is 1 x 9"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, int], sentence: str) -> None:
    saved(tmp_path / "earlier", ["a"], 1)
    model = saved(tmp_path / "own", ["a"], 2, **changes)
    with pytest.raises(UserError, match=sentence):
        start_warm(model, "sasrec", tmp_path / "earlier", own_items(tmp_path), SingleProcess())
    with pytest.raises(UserError, match="it is a sasrec, this one is a gru4rec"):
        start_warm(model, "gru4rec", tmp_path / "earlier", own_items(tmp_path), SingleProcess())


def test_a_training_begins_as_good_as_the_earlier_one_ended(make_spec: Callable[..., TrainingSpec]) -> None:
    first = make_spec("first", "training.epochs=25", "training.learning_rate=0.01")
    train(first)
    ended = max(note["valid"]["ndcg@10"] for note in history_of(first))
    slow = ("training.epochs=1", "training.learning_rate=1e-9")
    warm = make_spec("warm", *slow)
    TrainingSpec(**{**warm.__dict__, "warm_start": first.folder}).write()
    cold = make_spec("cold", *slow)
    assert train(warm, "torchrun", 2)[0]["valid"]["ndcg@10"] == pytest.approx(ended, abs=1e-6)
    assert train(cold)[0]["valid"]["ndcg@10"] < ended - 0.3


def test_every_rank_refuses_what_does_not_fit(make_spec: Callable[..., TrainingSpec]) -> None:
    first = make_spec("first", "training.epochs=1")
    train(first)
    other = make_spec("other", "training.epochs=1", "models.sasrec.width=8")
    TrainingSpec(**{**other.__dict__, "warm_start": first.folder}).write()
    with pytest.raises(UserError, match=r"does not fit: its table\.weight is 16, this one's is 8"):
        train(other, "horovod", 2)


def test_kinds_go_with_the_items_that_have_them(tmp_path: Path) -> None:
    """Another workspace numbers categories otherwise; b and c were of one kind, x is of a new one."""
    features = FeatureSettings(items=["category", "price"], events=["rating"])
    earlier = saved(tmp_path / "earlier", ["a", "b", "c"], 1, category=[2, 3, 3], features=features)
    model = saved(tmp_path / "own", ["b", "x", "c", "a"], 2, category=[5, 6, 5, 4], features=features)
    tables = [one.table.features.tables["category"].weight.detach().clone() for one in (earlier, model)]
    start_warm(model, "sasrec", tmp_path / "earlier", own_items(tmp_path), SingleProcess())
    (before, own), found = tables, model.table.features.tables["category"].weight
    assert torch.equal(found[[5, 4]], before[[3, 2]])
    assert torch.equal(found[6], own[6])
    numbers = [one.table.features.numbers["price"].mix.weight for one in (earlier, model)]
    assert torch.equal(*numbers)
