"""A configuration yields the loss it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from sequoia.config import load_config
from sequoia.losses.choice import Loss, choose_loss, logits_type
from tests.losses.world import Plain

KINDS = ("full", "sampled", "bce", "gbce", "bpr", "bpr-max", "top1-max")


def loss_of(kind: str, *overrides: str) -> Loss:
    settings = load_config(overrides=[f"loss.kind={kind}", *[f"loss.{one}" for one in overrides]]).loss
    return choose_loss(settings, torch.ones(102, dtype=torch.int64))


def test_full_and_sampled_agree_when_the_sample_is_large() -> None:
    generator = torch.Generator().manual_seed(1)
    states, vectors = torch.randn(50, 4, generator=generator), torch.randn(102, 4, generator=generator)
    targets = torch.randint(2, 102, (50,), generator=generator)

    def value(loss: Loss) -> float:
        return loss(states, targets, Plain(vectors), loss.draw(targets, generator)).item()

    full = value(loss_of("full", "logits_type=float32"))
    assert value(loss_of("full", "logits_type=bfloat16")) == pytest.approx(full, rel=0.01)
    sampled = loss_of("sampled", "popular=2000")
    first, second = value(sampled), value(sampled)
    assert first != second
    assert first == pytest.approx(full, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_every_loss_brings_a_state_to_its_target(kind: str) -> None:
    loss = loss_of(kind, "popular=4", "regularisation=0.01")
    generator = torch.Generator().manual_seed(1)
    vectors = torch.eye(102)
    states = torch.zeros(5, 102, requires_grad=True)
    targets = torch.tensor([2, 30, 40, 50, 101])
    optimizer = torch.optim.Adam([states], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss(states, targets, Plain(vectors), loss.draw(targets, generator)).backward()
        optimizer.step()
    assert (states @ vectors.T)[:, 2:].argmax(dim=1).tolist() == [target - 2 for target in targets.tolist()]


def test_the_type_of_logits_is_as_asked_for_and_otherwise_what_the_machine_is_good_at() -> None:
    cpu = torch.device("cpu")
    assert logits_type("float32", cpu) == torch.float32
    assert logits_type("bfloat16", cpu) == torch.bfloat16
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    has = re.search(r"\b(avx512_bf16|amx_bf16)\b", flags) is not None
    assert logits_type("auto", cpu) == (torch.bfloat16 if has else torch.float32)
