"""A configuration yields the loss it names."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from sequoia.losses.choice import Loss, choose_loss


def _loss(kind: Literal["full", "sampled"], logits_type: Literal["float32", "bfloat16"] = "float32") -> Loss:
    counts = torch.ones(102, dtype=torch.int64)
    return choose_loss(
        kind=kind, chunk=4, logits_type=logits_type, num_negatives=2000, alpha=0.0, counts_V=counts
    )


def test_full_and_sampled_agree_when_the_sample_is_large() -> None:
    generator = torch.Generator().manual_seed(1)
    states, vectors = torch.randn(50, 4, generator=generator), torch.randn(102, 4, generator=generator)
    targets = torch.randint(2, 102, (50,), generator=generator)
    full = _loss("full")(states, targets, vectors, generator).item()
    assert _loss("full", "bfloat16")(states, targets, vectors, generator).item() == pytest.approx(
        full, rel=0.01
    )
    first, second = (_loss("sampled")(states, targets, vectors, generator).item() for _ in range(2))
    assert first != second
    assert first == pytest.approx(full, rel=0.05)
