"""The sharding plan: every row once, equal steps, the same batches for any number of ranks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sequoia.readers.plan import EpochPlan, Integers, plan_epoch


@st.composite
def plans(draw: st.DrawFn) -> EpochPlan:
    rows = draw(st.lists(st.integers(0, 40), max_size=12))
    lanes, batch = draw(st.integers(1, 9)), draw(st.integers(1, 30))
    return plan_epoch(
        rows, lanes=lanes, batch_size=batch, seed=draw(st.integers(0, 9)), epoch=draw(st.integers(0, 3))
    )


def batch_rows(plan: EpochPlan, rank: int, size: int, step: int) -> list[tuple[int, int]]:
    """Spell out the (group, row in the group) pairs a rank reads in a step, one by one."""
    found = []
    for piece in plan.pieces(step, rank, size):
        order = plan.order(piece.group, events_of(plan.rows[piece.group]))
        found += [(piece.group, int(row)) for row in order[piece.start : piece.stop]]
    return found


def events_of(rows: int) -> Integers:
    """Return how many events rows have: 3 to 50, most of them few."""
    return np.minimum(2 + np.random.default_rng(rows).geometric(0.15, rows), 50)


@settings(max_examples=200, deadline=None)
@given(plans(), st.integers(1, 6))
def test_every_row_is_read_exactly_once_by_any_number_of_ranks(plan: EpochPlan, size: int) -> None:
    read = [
        row
        for step in range(plan.steps)
        for rank in range(size)
        for row in batch_rows(plan, rank, size, step)
    ]
    assert sorted(read) == [(group, row) for group, count in enumerate(plan.rows) for row in range(count)]


@settings(max_examples=200, deadline=None)
@given(plans(), st.integers(1, 6))
def test_the_ranks_read_one_after_the_other_what_a_single_one_reads(plan: EpochPlan, size: int) -> None:
    for step in range(plan.steps):
        together = [row for rank in range(size) for row in batch_rows(plan, rank, size, step)]
        assert together == batch_rows(plan, 0, 1, step)


@settings(max_examples=200, deadline=None)
@given(plans(), st.integers(1, 6))
def test_no_step_and_no_rank_has_fewer_rows_than_the_others_but_for_one(plan: EpochPlan, size: int) -> None:
    steps = [len(batch_rows(plan, 0, 1, step)) for step in range(plan.steps)]
    assert max(steps, default=0) <= plan.batch_size
    assert max(steps, default=0) - min(steps, default=0) <= 1
    for step in range(plan.steps):
        ranks = [len(batch_rows(plan, rank, size, step)) for rank in range(size)]
        assert max(ranks) - min(ranks) <= 1


@settings(max_examples=100, deadline=None)
@given(plans())
def test_a_place_is_of_one_row(plan: EpochPlan) -> None:
    pieces = [piece for step in range(plan.steps) for piece in plan.pieces(step, 0, 1)]
    places = [piece.place + row for piece in pieces for row in range(piece.stop - piece.start)]
    assert sorted(places) == list(range(plan.total))


def test_lanes_read_stretches_of_the_line_side_by_side() -> None:
    plan = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=0)
    first, second = plan.pieces(0, 0, 1)
    assert (first.lane, first.place, first.stop - first.start) == (0, 0, 5)
    assert (second.lane, second.place, second.stop - second.start) == (1, 100, 5)
    assert [piece.lane for piece in plan.pieces(0, 0, 2)] == [0]
    assert [piece.lane for piece in plan.pieces(0, 1, 2)] == [1]


def test_epochs_differ_and_repeat_for_the_same_seed() -> None:
    first = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=0)
    again = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=0)
    later = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=1)
    assert batch_rows(first, 0, 1, 0) == batch_rows(again, 0, 1, 0)
    assert batch_rows(first, 0, 1, 0) != batch_rows(later, 0, 1, 0)
    assert not np.array_equal(first.order(0, events_of(50)), later.order(0, events_of(50)))


def test_steps_and_ranks_have_about_as_many_events() -> None:
    events = events_of(20_000)
    plan = plan_epoch([20_000], lanes=1, batch_size=256, seed=1, epoch=0)
    ordered = [
        sum(events[row] for _, row in batch_rows(plan, rank, 2, step))
        for step in range(12)
        for rank in range(2)
    ]
    by_chance = events[np.random.default_rng(1).permutation(20_000)][: 24 * 128].reshape(24, 128).sum(axis=1)
    assert np.std(ordered) < np.std(by_chance) / 2


def test_a_row_comes_at_any_place() -> None:
    events = np.array([3] * 10 + [50] * 10)
    plans = [plan_epoch([20], lanes=1, batch_size=5, seed=1, epoch=epoch) for epoch in range(2000)]
    places = np.stack([np.argsort(plan.order(0, events)) for plan in plans])
    assert np.abs(places.mean(axis=0) - 9.5).max() < 0.7  # 0.13 is the mean's own deviation
    assert (np.stack([np.bincount(row, minlength=20) for row in places.T]) > 0).all()
