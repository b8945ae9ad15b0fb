"""Row-wise optimizers equal their slow forms, and leave alone what was not used."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sequoia.distributed.single import SingleProcess
from sequoia.neural.item_table import ItemTable
from sequoia.training.item_optimizer import ItemOptimizer, Rule

RATE = 0.1


def table_of(num_rows: int = 12) -> ItemTable:
    torch.manual_seed(4)
    return ItemTable(num_rows, 3)


def use(table: ItemTable, ids: list[int]) -> Tensor:
    """Return a loss whose gradient differs by row and grows with how often a row is used."""
    rows = table.rows(torch.tensor(ids))
    return (rows * torch.arange(1.0, 4.0)).square().sum()


def walk(rule: Rule, steps: list[list[int]], *, scale: float = 1.0) -> ItemTable:
    table = table_of()
    optimizer = ItemOptimizer(table, rule, SingleProcess())
    for ids in steps:
        optimizer.zero()
        if ids:
            use(table, ids).backward()
        optimizer.finish(torch.tensor(scale))
        optimizer.step(RATE)
    return table


STEPS = [[2, 3, 3, 9], [0, 4, 2], [], [11, 2, 2, 2], [3, 5]]


def test_adam_is_torch_s_own_for_sparse_gradients() -> None:
    expected = table_of()
    expected.sparse = True
    optimizer = torch.optim.SparseAdam(expected.parameters(), lr=RATE)
    steps = [ids for ids in STEPS if ids]
    for ids in steps:
        optimizer.zero_grad()
        (use(expected, ids) * 0.5).backward()
        optimizer.step()
    # Its epsilon is added before the correction of the mean square, Adam's (and ours) after it.
    torch.testing.assert_close(walk("adam", steps, scale=0.5).weight, expected.weight, atol=1e-4, rtol=1e-3)


def test_adam_is_the_dense_one_where_every_row_is_used() -> None:
    expected, every = table_of(), [*range(2, 12)]
    optimizer = torch.optim.Adam(expected.parameters(), lr=RATE)
    for _ in range(4):
        optimizer.zero_grad()
        use(expected, every).backward()
        optimizer.step()
    torch.testing.assert_close(walk("adam", [every] * 4).weight, expected.weight)


def test_adagrad_divides_by_the_root_of_the_sum_of_a_row_s_mean_squares() -> None:
    table = table_of()
    weight, sums = table.weight.detach().clone(), torch.zeros(12)
    for ids in STEPS:
        for row in set(ids) - {0}:
            gradient = 2 * weight[row] * torch.arange(1.0, 4.0).square() * ids.count(row)
            sums[row] += gradient.square().mean()
            weight[row] -= RATE * gradient / (sums[row].sqrt() + 1e-8)
    torch.testing.assert_close(walk("adagrad", STEPS).weight.detach(), weight)


@pytest.mark.parametrize("rule", ["adam", "adagrad"])
def test_rows_that_are_not_used_and_padding_keep_their_vectors(rule: Rule) -> None:
    before, after = table_of().weight, walk(rule, STEPS).weight
    used = [2, 3, 4, 5, 9, 11]
    kept = [row for row in range(12) if row not in used]
    assert torch.equal(after[kept], before[kept])
    assert not after[0].any()
    assert (after[used] != before[used]).any(dim=1).all()


@pytest.mark.parametrize("rule", ["adam", "adagrad"])
def test_another_one_goes_on_where_the_first_ended(rule: Rule) -> None:
    whole = walk(rule, [*STEPS, *STEPS])
    table = table_of()
    first = ItemOptimizer(table, rule, SingleProcess())
    for number, ids in enumerate([*STEPS, *STEPS]):
        if number == 5:
            state = {name: tensor.clone() for name, tensor in first.state.items()}
            first = ItemOptimizer(table, rule, SingleProcess())
            first.load(state)
        first.zero()
        if ids:
            use(table, ids).backward()
        first.finish(torch.tensor(1.0))
        first.step(RATE)
    assert torch.equal(table.weight, whole.weight)


def test_the_gradient_has_no_row_that_was_not_used() -> None:
    table = table_of(100_000)
    ItemOptimizer(table, "adagrad", SingleProcess())
    use(table, [5, 99_999, 5]).backward()
    assert table.weight.grad is not None
    assert table.weight.grad.coalesce().values().shape == (2, 3)
