"""The sharding plan: every row once, equal steps, the same batches for any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sequoia.errors import UserError
from sequoia.readers.plan import EpochPlan, plan_epoch


@st.composite
def plans(draw: st.DrawFn) -> EpochPlan:
    lanes = draw(st.integers(1, 6))
    rows = draw(st.lists(st.integers(0, 40), min_size=lanes, max_size=lanes + 8))
    batch = lanes * draw(st.integers(1, 7))
    return plan_epoch(
        rows, lanes=lanes, batch_size=batch, seed=draw(st.integers(0, 9)), epoch=draw(st.integers(0, 3))
    )


def batch_rows(plan: EpochPlan, rank: int, size: int, step: int) -> list[tuple[int, int]]:
    """Spell out the (file, row in the file) pairs a rank reads in a step, one by one."""
    found = []
    for lane in plan.lanes_of(rank, size):
        for piece in plan.pieces(lane, step):
            found += [(piece.file, int(row)) for row in plan.order(piece.file)[piece.start : piece.stop]]
    return found


@settings(max_examples=200, deadline=None)
@given(plans(), st.integers(1, 6))
def test_every_row_is_read_exactly_once_by_any_number_of_ranks(plan: EpochPlan, size: int) -> None:
    read = [
        row
        for step in range(plan.steps)
        for rank in range(size)
        for row in batch_rows(plan, rank, size, step)
    ]
    assert sorted(read) == [(file, row) for file, count in enumerate(plan.rows) for row in range(count)]


@settings(max_examples=200, deadline=None)
@given(plans(), st.integers(1, 6))
def test_a_global_batch_does_not_depend_on_the_number_of_ranks(plan: EpochPlan, size: int) -> None:
    for step in range(plan.steps):
        together = sorted(row for rank in range(size) for row in batch_rows(plan, rank, size, step))
        assert together == sorted(batch_rows(plan, 0, 1, step))


@settings(max_examples=100, deadline=None)
@given(plans())
def test_no_batch_is_larger_than_asked_and_none_follows_the_last_step(plan: EpochPlan) -> None:
    largest = plan.lane_batch * len(plan.lanes)
    assert all(len(batch_rows(plan, 0, 1, step)) <= largest for step in range(plan.steps))
    assert batch_rows(plan, 0, 1, plan.steps) == []


def test_epochs_differ_and_repeat_for_the_same_seed() -> None:
    first = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=0)
    again = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=0)
    later = plan_epoch([50] * 4, lanes=2, batch_size=10, seed=1, epoch=1)
    assert batch_rows(first, 0, 1, 0) == batch_rows(again, 0, 1, 0)
    assert batch_rows(first, 0, 1, 0) != batch_rows(later, 0, 1, 0)
    assert not np.array_equal(first.order(0), later.order(0))


def test_equal_files_give_full_batches() -> None:
    plan = plan_epoch([64] * 8, lanes=8, batch_size=64, seed=0, epoch=0)
    assert plan.steps == 8
    assert {len(batch_rows(plan, 0, 1, step)) for step in range(8)} == {64}


def test_a_batch_that_does_not_divide_into_lanes_is_refused() -> None:
    with pytest.raises(UserError, match="batch_size 10 must be a multiple of lanes 4"):
        plan_epoch([5] * 4, lanes=4, batch_size=10, seed=0, epoch=0)


def test_fewer_files_than_lanes_are_refused() -> None:
    with pytest.raises(UserError, match="4 lanes need at least 4 training files, there are 2"):
        plan_epoch([5] * 2, lanes=4, batch_size=8, seed=0, epoch=0)
