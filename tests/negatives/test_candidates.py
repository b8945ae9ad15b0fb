"""The vectorised sampler against the slow one, its distribution, and a catalogue that runs out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from negatives import slow_sampler

from sequoia.negatives import candidates as fast
from sequoia.negatives.candidates import Histories, draw_candidates
from sequoia.negatives.weights import Sampler
from sequoia.splitmix64 import draws, stream_keys


def histories(items: dict[int, list[int]]) -> Histories:
    lengths = [len(own) for own in items.values()]
    return Histories(
        users=np.array(list(items), np.int64),
        items=np.array([item for own in items.values() for item in own], np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


def drawn(
    owned: dict[int, list[int]],
    events: list[int],
    alpha: float,
    count: int,
    *,
    seed: int = 1,
    purpose: int = 0,
) -> dict[int, list[int]]:
    sampler = Sampler.from_counts(np.array(events), alpha)
    items, offsets = draw_candidates(histories(owned), sampler, count=count, seed=seed, purpose=purpose)
    return {user: items[offsets[i] : offsets[i + 1]].tolist() for i, user in enumerate(owned)}


def test_hash_is_splitmix64() -> None:
    # The first outputs of the reference implementation with seed 1234567.
    key = np.array([1234567], np.uint64)
    assert draws(key, 0, 3).tolist() == [[6457827717110365317, 3203168211198807973, 9817491932198370423]]
    assert draws(key, 1, 2).tolist() == [[3203168211198807973, 9817491932198370423]]


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(2, 10**12), st.lists(st.integers(0, 11), max_size=14), max_size=5),
    st.lists(st.integers(0, 1000), min_size=12, max_size=12).filter(any),
    st.sampled_from([0.0, 0.75, 1.0, 2.0]),
    st.integers(1, 14),
    st.integers(0, 2**31 - 1),
)
def test_candidates_are_those_of_the_slow_sampler(
    owned: dict[int, list[int]], events: list[int], alpha: float, count: int, seed: int
) -> None:
    weights = slow_sampler.weigh(events, alpha)
    assert Sampler.from_counts(np.array(events), alpha).weights.tolist() == weights
    expected = {
        user: slow_sampler.candidates(slow_sampler.stream_key(seed, user, 3), weights, set(own), count)
        for user, own in owned.items()
    }
    assert drawn(owned, events, alpha, count, seed=seed, purpose=3) == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=1, max_size=60).filter(any), st.sampled_from([0.5, 0.75, 1.0]))
def test_cells_give_every_item_its_weight(events: list[int], alpha: float) -> None:
    sampler = Sampler.from_counts(np.array(events), alpha)
    assert sampler.cells is not None
    mass = np.zeros(len(events))
    for item, (threshold, alias) in enumerate(sampler.cells.tolist()):
        share = 1.0 if alias == item else threshold / 2**32
        mass[item] += share
        mass[alias] += 1 - share
    expected = sampler.weights / sampler.weights.sum() * len(events)
    assert np.abs(mass - expected).max() < len(events) * 2**-31


def test_no_item_of_a_large_catalogue_is_favoured() -> None:
    """Remainders by a total near 2^62 gave the first half of 15 million items 53 % of the draws."""
    sampler = Sampler.from_counts(np.ones(15_000_000, dtype=np.int64), 0.0)
    picked = sampler.pick(draws(stream_keys(1, np.arange(1000), 0), 0, 1000))
    assert abs((picked < 7_500_000).mean() - 0.5) < 0.002
    assert (picked.min(), picked.max()) > (0, 14_999_000)


def test_a_set_is_distinct_and_free_of_the_history() -> None:
    owned = {user: list(range(user % 40)) for user in range(2, 300)}
    for user, found in drawn(owned, list(range(1, 101)), 0.75, 30).items():
        assert len(found) == len(set(found)) == 30
        assert not set(found) & set(owned[user])


def test_a_small_catalogue_gives_all_that_remains() -> None:
    owned = {7: [0, 1, 2], 8: list(range(10)), 9: list(range(9)), 10: []}
    found = drawn(owned, [5, 4, 3, 2, 1, 0, 0, 1, 1, 900_000], 1.0, 8)
    assert sorted(found[7]) == [3, 4, 5, 6, 7, 8, 9]
    assert found[8] == []
    assert found[9] == [9]
    assert len(set(found[10])) == 8


def test_users_stand_alone_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    owned = {user: [user % 50, (user * 7) % 50] for user in range(2, 200)}
    events = list(range(50))
    together = drawn(owned, events, 0.75, 20)
    monkeypatch.setattr(fast, "BLOCK", 60)
    assert drawn(owned, events, 0.75, 20) == together
    backwards = dict(reversed(owned.items()))
    assert drawn(backwards, events, 0.75, 20) == together


@pytest.mark.parametrize("alpha", [0.0, 0.75, 1.0])
def test_first_candidates_follow_popularity_to_the_power_alpha(alpha: float) -> None:
    events = [1, 2, 4, 8, 16, 32, 64, 128]
    users = 20_000
    found = drawn({user: [] for user in range(2, users + 2)}, events, alpha, 1)
    seen = np.bincount([own[0] for own in found.values()], minlength=len(events))
    expected = np.array(events, float) ** alpha
    expected *= users / expected.sum()
    # 7 degrees of freedom: 24.3 is exceeded once in a thousand seeds; this one is fixed.
    assert ((seen - expected) ** 2 / expected).sum() < 24.3


def test_the_race_goes_on_with_the_same_distribution() -> None:
    key = stream_keys(1, np.arange(2, 5002), 0)
    sampler = Sampler.from_counts(np.array([1, 2, 4, 8]), 1.0)
    nothing = np.zeros(0, np.int64)
    seen = np.bincount([fast._race(sampler, nothing, one, 1)[0] for one in key], minlength=4)
    expected = np.array([1, 2, 4, 8]) * 5000 / 15
    assert ((seen - expected) ** 2 / expected).sum() < 16.3


def test_seed_purpose_and_user_each_change_the_draws() -> None:
    keys = {
        int(stream_keys(seed, np.array([user]), purpose)[0])
        for seed in range(5)
        for user in range(2, 20)
        for purpose in range(4)
    }
    assert len(keys) == 5 * 18 * 4
