from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sequoia.modelling import item_places
from sequoia.modelling.item_places import ItemPlaces


@settings(deadline=None)  # the first call imports pandas
@given(st.lists(st.text(), unique=True, min_size=1), st.lists(st.text() | st.none()), st.data())
def test_a_few_ids_and_many_are_found_where_they_stand(
    items: list[str], others: list[str | None], data: st.DataObject
) -> None:
    asked = [*others, *data.draw(st.lists(st.sampled_from(items)))]
    expected = [items.index(item) if item in items else -1 for item in asked]
    places = ItemPlaces(pa.array(items, pa.string()))
    for share in (0, 1000):  # Arrow's look-up always, or never
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(item_places, "FEW", share)
            found = places.find(pa.array(asked, pa.string()))
        assert found.tolist() == expected
        assert found.dtype == np.int64


def test_two_ids_of_one_hash_are_parted_by_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = item_places._hashes

    def colliding(ids: pa.Array, key: str) -> object:
        return hashes(ids, key) // (2**63 if key == item_places.HASH_KEYS[0] else 1)

    monkeypatch.setattr(item_places, "_hashes", colliding)
    items = [f"i{number}" for number in range(40)]
    places = ItemPlaces(pa.array(items))
    assert places.find(pa.array(["i7", "i39", "i40"])).tolist() == [7, 39, -1]


def test_all_items_are_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    hashes = item_places._hashes

    def counting(ids: pa.Array, key: str) -> object:
        hashed.append(len(ids))
        return hashes(ids, key)

    monkeypatch.setattr(item_places, "_hashes", counting)
    places = ItemPlaces(pa.array([f"i{number}" for number in range(1000)]))
    for number in range(3):
        assert places.find(pa.array([f"i{number}"])).tolist() == [number]
    assert sorted(hashed) == [1, 1, 1, 1000]
