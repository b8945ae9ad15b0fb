"""The loss a trainer calls, with its constants bound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from sequoia.losses.full import NUM_RESERVED_ROWS, full_softmax
from sequoia.losses.negatives import Negatives
from sequoia.losses.sampled import bce, bpr, bpr_max, gbce_power, sampled_softmax, top1_max
from sequoia.losses.settings import LogitsType, LossSettings


class Items(Protocol):
    """The items' vectors."""

    def rows(self, ids: Tensor) -> Tensor:
        """Return the vectors (..., D) of int64 rows."""
        ...

    def all_rows(self) -> Tensor:
        """Return all vectors (V, D)."""
        ...


class Loss(Protocol):
    """Summed loss of N states against their targets."""

    @property
    def samples(self) -> bool:
        """Say whether it asks for rows of items, and never for all of them."""
        ...

    @property
    def needs_batch(self) -> bool:
        """Say whether negatives are drawn from the targets of all ranks."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Return the type of the logits."""
        ...

    def draw(self, batch_M: Tensor, generator: torch.Generator) -> Tensor:
        """Return the negatives of a step, int64 rows, from the generator.

        batch_M: where `needs_batch`, the step's targets of all ranks.
        """
        ...

    def __call__(self, states_ND: Tensor, targets_N: Tensor, items: Items, negatives_S: Tensor) -> Tensor:
        """Return a scalar; negatives_S: what was drawn for the step."""
        ...


@dataclass(frozen=True, kw_only=True)
class FullLoss:
    """Cross-entropy against all items."""

    settings: LossSettings
    dtype: torch.dtype
    needs_batch: bool = False
    samples: bool = False

    def draw(self, batch_M: Tensor, generator: torch.Generator) -> Tensor:
        """Return nothing: every item counts."""
        return batch_M.new_zeros(0)

    def __call__(self, states_ND: Tensor, targets_N: Tensor, items: Items, negatives_S: Tensor) -> Tensor:
        """Return the summed loss."""
        return full_softmax(
            states_ND,
            targets_N,
            items.all_rows(),
            target_tile=self.settings.target_tile,
            item_tile=self.settings.item_tile,
            dtype=self.dtype,
        )


class SampledLoss:
    """One of the losses against negatives that the targets of a step share."""

    samples = True
    dtype = torch.float32

    def __init__(self, settings: LossSettings, counts_V: Tensor) -> None:
        self._settings = settings
        self._negatives = Negatives(counts_V, settings)
        self._items = len(counts_V) - NUM_RESERVED_ROWS
        self.needs_batch = settings.in_batch > 0

    def draw(self, batch_M: Tensor, generator: torch.Generator) -> Tensor:
        """Return the negatives of a step."""
        return self._negatives.draw(batch_M, generator)

    def __call__(self, states_ND: Tensor, targets_N: Tensor, items: Items, negatives_S: Tensor) -> Tensor:
        """Return the summed loss."""
        positive_N1 = (states_ND * items.rows(targets_N)).sum(dim=1, keepdim=True)
        negative_NS = states_ND @ items.rows(negatives_S).T
        logits = positive_N1, negative_NS, targets_N[:, None] == negatives_S
        match self._settings.kind:
            case "bce":
                return bce(*logits, 1.0)
            case "gbce":
                return bce(*logits, gbce_power(len(negatives_S), self._items, self._settings.calibration))
            case "bpr":
                return bpr(*logits)
            case "bpr-max":
                return bpr_max(*logits, self._settings.regularisation)
            case "top1-max":
                return top1_max(*logits)
        return sampled_softmax(*logits, self._negatives.log_expected_count_V[negatives_S])


def choose_loss(settings: LossSettings, counts_V: Tensor) -> Loss:
    """Build the loss of a configuration; counts_V is the number of training events of each vocabulary row."""
    if settings.kind != "full":
        return SampledLoss(settings, counts_V)
    return FullLoss(settings=settings, dtype=logits_type(settings.logits_type, counts_V.device))


def logits_type(wanted: LogitsType, device: torch.device) -> torch.dtype:
    """Return the type of logits: bfloat16 by `auto` only where the machine multiplies it faster."""
    if wanted == "auto":
        wanted = "bfloat16" if multiplies_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[wanted]


def multiplies_bfloat16(device: torch.device) -> bool:
    """Say whether the machine itself multiplies it; torch says yes of GPUs, too, that only imitate it."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    about = Path("/proc/cpuinfo")
    flags = about.read_text(encoding="utf-8").split() if about.is_file() else []
    return "avx512_bf16" in flags or "amx_bf16" in flags
