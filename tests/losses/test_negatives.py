"""The drawn negatives follow the stated distribution, whatever it is mixed from."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.losses.negatives import Negatives
from sequoia.losses.sampled import sampled_softmax
from sequoia.losses.settings import LossSettings

COUNTS = torch.tensor([100, 100, 0, 3, 8, 15])
# Fits the counts: three of 26 targets are row 3, and so on.
BATCH = torch.tensor([3] * 3 + [4] * 8 + [5] * 15)


def settings(*overrides: str) -> LossSettings:
    return load_config(overrides=["loss.kind=sampled", *[f"loss.{one}" for one in overrides]]).loss


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (("popular=1000", "alpha=0.0"), [250, 250, 250, 250]),
        (("popular=1000", "alpha=0.5"), [100, 200, 300, 400]),
        (("popular=900", "alpha=1.0"), [30, 120, 270, 480]),
        (("popular=0", "uniform=400"), [100, 100, 100, 100]),
        (("popular=0", "in_batch=260"), [0, 30, 80, 150]),
        (("popular=100", "alpha=0.5", "uniform=40", "in_batch=26"), [20, 33, 48, 65]),
    ],
)
def test_every_item_is_drawn_as_often_as_stated(overrides: tuple[str, ...], expected: list[int]) -> None:
    negatives = Negatives(COUNTS, settings(*overrides))
    generator = torch.Generator().manual_seed(5)
    drawn = [negatives.draw(BATCH, generator) for _ in range(400)]
    assert {len(one) for one in drawn} == {sum(expected)}
    counted = torch.bincount(torch.cat(drawn), minlength=6) / 400
    torch.testing.assert_close(counted, torch.tensor([0.0, 0.0, *expected]), atol=2.5, rtol=0.02)
    stated = negatives.log_expected_count_V.exp()
    torch.testing.assert_close(stated, torch.tensor([0.0, 0.0, *expected]), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(
    "overrides", [("popular=3",), ("popular=1", "uniform=2"), ("popular=2", "uniform=1", "in_batch=2")]
)
def test_the_estimated_denominator_is_unbiased(overrides: tuple[str, ...]) -> None:
    negatives = Negatives(COUNTS, settings(*overrides, "alpha=0.75"))
    generator = torch.Generator().manual_seed(6)
    logits = torch.tensor([9.0, 9.0, 0.5, 0.0, -1.0, 1.0])
    estimates = []
    for _ in range(20_000):
        rows = negatives.draw(BATCH, generator)
        loss = sampled_softmax(
            logits[3].view(1, 1), logits[rows][None], (rows == 3)[None], negatives.log_expected_count_V[rows]
        )
        estimates.append(loss.exp())
    expected = logits[2:].exp().sum() / logits[3].exp()
    assert torch.stack(estimates).mean().item() == pytest.approx(expected.item(), rel=0.03)


def test_neither_the_order_of_the_batch_nor_another_draw_changes_what_a_generator_gives() -> None:
    negatives = Negatives(COUNTS, settings("popular=20", "uniform=10", "in_batch=20"))
    first, second, other = (torch.Generator().manual_seed(seed) for seed in (1, 1, 2))
    drawn = negatives.draw(BATCH, first)
    assert torch.equal(drawn, negatives.draw(BATCH.flip(0), second))
    assert not torch.equal(drawn, negatives.draw(BATCH, other))


def test_a_batch_without_targets_gives_no_negatives_of_its_own() -> None:
    negatives = Negatives(COUNTS, settings("popular=2", "in_batch=5"))
    assert len(negatives.draw(BATCH[:0], torch.Generator())) == 2


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(UserError, match="0 items to draw"):
        Negatives(torch.tensor([5, 5]), settings("popular=3"))
    with pytest.raises((UserError, ValidationError), match="kind bpr has no negatives: set loss"):
        load_config(overrides=["loss.kind=bpr", "loss.popular=0"])
