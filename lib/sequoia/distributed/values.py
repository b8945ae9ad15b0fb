"""Plain values and named tensors over a group, by its verbs for tensors; nothing is pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sequoia.distributed.collective import Collective


def add_up(values: Mapping[str, float], group: Collective) -> dict[str, float]:
    """Add up numbers over all ranks (float64); the keys must be the same everywhere."""
    names = sorted(values)
    summed = group.sum(torch.tensor([values[name] for name in names], dtype=torch.float64))
    return dict(zip(names, summed.tolist(), strict=True))


def joined(rows_N: Tensor, group: Collective) -> Tensor:
    """Return the rows of all ranks in their order; ranks may have different numbers of them."""
    if group.size == 1:
        return rows_N
    counts = group.all_gather(torch.tensor(len(rows_N), device=rows_N.device)).tolist()
    # To few different lengths: Horovod agrees anew on every shape that it has not seen.
    padded = rows_N.new_zeros(1 << (max(counts) - 1).bit_length(), *rows_N.shape[1:])
    padded[: len(rows_N)] = rows_N
    found = group.all_gather(padded)
    return torch.cat([of[:count] for of, count in zip(found, counts, strict=True)])


def from_main(value: Any, group: Collective) -> Any:
    """Return rank 0's value, which is plain JSON, on every rank."""
    text = json.dumps(value).encode() if group.is_main else b""
    length = int(group.broadcast(torch.tensor(len(text))))
    data = torch.frombuffer(bytearray(text or length), dtype=torch.uint8)
    return json.loads(bytes(group.broadcast(data).numpy()))


def tensors_from_main(named: Mapping[str, Tensor], group: Collective) -> dict[str, Tensor]:
    """Return rank 0's tensors by name; what the others give does not count."""
    about = [(name, [*tensor.shape], str(tensor.dtype)) for name, tensor in named.items()]
    found = {}
    for name, shape, kind in from_main(about, group):
        empty = torch.empty(shape, dtype=getattr(torch, kind.removeprefix("torch.")))
        found[name] = group.broadcast(named[name].detach().cpu() if group.is_main else empty)
    return found
