"""Features by hand: what is unknown adds nothing, and a gap is of the sequence that an event is in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from sequoia.errors import UserError
from sequoia.modelling.item_index import ItemIndex
from sequoia.neural.features import EventFeatures, ItemFeatures, event_values
from sequoia.neural.item_table import ItemTable

DAY = 86_400_000


def index() -> ItemIndex:
    """Four items, in rows 2 to 5: two of one category, one without a price, one without an event."""
    return ItemIndex(
        pa.table(
            {
                "row": [2, 3, 4, 5],
                "item_id": [2, 3, 4, 5],
                "item": ["a", "b", "c", "d"],
                "events": [5, 5, 5, 0],
                "category": [7, 7, 3, 1],
                "price": [10.0, 0.0, 10.0, 1.0],
                "first_time": [10 * DAY, 1 * DAY, 3 * DAY, 0],
            }
        )
    )


def test_items_of_one_category_share_its_vector_and_no_item_has_none() -> None:
    torch.manual_seed(0)
    vectors = ItemFeatures(["category"], index(), 4)(torch.arange(6))
    assert torch.equal(vectors[2], vectors[3])
    assert not torch.equal(vectors[2], vectors[4])
    assert not vectors[:2].any()


@pytest.mark.parametrize(("name", "unknown", "alike"), [("price", 3, (2, 4)), ("age", 5, None)])
def test_an_unknown_number_adds_nothing(name: str, unknown: int, alike: tuple[int, int] | None) -> None:
    torch.manual_seed(0)
    features = ItemFeatures([name], index(), 4)
    vectors = features(torch.arange(6))
    assert not vectors[[0, 1, unknown]].any()
    assert vectors[2].any()
    if alike:
        assert torch.equal(*vectors[list(alike)])
    values = getattr(features, f"{name}_V")[getattr(features, f"{name}_known_V")]
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.std(correction=0) == pytest.approx(1, abs=1e-6)


def test_an_older_item_is_older() -> None:
    ages = ItemFeatures(["age"], index(), 4).age_V
    assert ages[3] > ages[4] > ages[2]


def test_a_feature_that_the_index_lacks_is_told() -> None:
    with pytest.raises(UserError, match="no column brand: run `sequoia train` again"):
        ItemFeatures(["brand"], index(), 4)


def test_an_item_s_vector_is_its_own_and_its_features_together_read_and_ranked() -> None:
    torch.manual_seed(0)
    table = ItemTable(6, 4)
    table.features = ItemFeatures(["category", "price", "age"], index(), 4)
    whole = table.weight + table.features(torch.arange(6))
    torch.testing.assert_close(table.all_rows(), whole)
    torch.testing.assert_close(
        table.rows(torch.tensor([[5, 0], [2, 1]])), whole[torch.tensor([[5, 0], [2, 1]])]
    )
    torch.testing.assert_close(table.fixed_rows(), whole)
    with torch.no_grad():
        table.features.tables["category"].weight[2:] += 1
    torch.testing.assert_close(table.fixed_rows(), table.all_rows())
    assert torch.equal(table.rows(torch.tensor([0])), torch.zeros(1, 4))


def test_gaps_and_stars_by_hand() -> None:
    # Two sequences; the time of one event is unknown.
    times = np.array([5, 6, 0, 9, 100, 103]) * DAY
    stars = np.array([5.0, 0.0, np.nan, 3.5, 1.0, 4.0], np.float32)
    found = event_values({"times": times, "ratings": stars}, np.array([0, 4, 6]))
    expected = [-1, np.log(2), -1, -1, -1, np.log(4)]
    assert found["gap"].tolist() == pytest.approx(expected, abs=1e-6)
    assert found["rating"].tolist() == [10, 0, 0, 7, 2, 8]
    assert event_values({}, np.array([0])) == {}
    empty = event_values({"times": np.zeros(0, np.int64)}, np.array([0]))
    assert len(empty["gap"]) == 0


def test_what_is_unknown_of_an_event_adds_nothing() -> None:
    torch.manual_seed(0)
    vectors = EventFeatures(["gap", "rating"], 4)(
        {"gap": torch.tensor([-1.0, 0.0, -1.0]), "rating": torch.tensor([0, 0, 9])}
    )
    assert not vectors[0].any()
    assert vectors[1:].any(dim=1).all()
