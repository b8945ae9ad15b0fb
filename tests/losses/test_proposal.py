"""The drawn negatives follow the stated distribution, and with it the denominator's estimate has no bias."""

from __future__ import annotations

import pytest
import torch

from sequoia.errors import UserError
from sequoia.losses.proposal import Proposal
from sequoia.losses.softmax import sampled_softmax

COUNTS = torch.tensor([100, 100, 1, 4, 9, 16])


def _many_draws(proposal: Proposal, times: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.cat([proposal.draw(generator) for _ in range(times)])


@pytest.mark.parametrize(
    ("power", "weights"), [(0.0, [1, 1, 1, 1]), (0.5, [1, 2, 3, 4]), (1.0, [1, 4, 9, 16])]
)
def test_shares_are_counts_to_the_power_and_reserved_rows_are_never_drawn(
    power: float, weights: list[int]
) -> None:
    proposal = Proposal(COUNTS, power, num_negatives=1000)
    shares = torch.bincount(_many_draws(proposal, 40), minlength=6) / 40_000
    expected = torch.tensor([0, 0, *weights]) / sum(weights)
    torch.testing.assert_close(shares, expected, atol=0.01, rtol=0)
    assert shares[:2].sum() == 0
    torch.testing.assert_close(proposal.log_expected_count_V.exp(), 1000 * expected, atol=1e-3, rtol=1e-4)


def test_the_estimated_denominator_is_unbiased() -> None:
    proposal = Proposal(COUNTS, 0.75, num_negatives=3)
    generator = torch.Generator().manual_seed(6)
    vectors = torch.tensor([9.0, 9.0, 0.5, 0.0, -1.0, 1.0])[:, None]
    state, target = torch.ones(1, 1), torch.tensor([3])
    estimates = [
        sampled_softmax(state, target, vectors, proposal.draw(generator), proposal.log_expected_count_V).exp()
        for _ in range(20_000)
    ]
    expected = vectors[2:].exp().sum() / vectors[3].exp().sum()
    assert torch.stack(estimates).mean().item() == pytest.approx(expected.item(), rel=0.03)


def test_the_same_generator_state_gives_the_same_negatives() -> None:
    proposal = Proposal(COUNTS, 0.0, num_negatives=50)
    first, second = (proposal.draw(torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, proposal.draw(torch.Generator().manual_seed(2)))


@pytest.mark.parametrize(("counts", "num_negatives"), [([5, 5, 0, 0], 3), ([0, 0, 1], 0)])
def test_nothing_to_draw_is_refused(counts: list[int], num_negatives: int) -> None:
    with pytest.raises(UserError, match="negatives"):
        Proposal(torch.tensor(counts), 1.0, num_negatives)
