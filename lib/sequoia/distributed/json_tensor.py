"""Plain values as tensors: what lets a group broadcast an object without pickling it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def broadcast_json(
    value: Any, *, is_main: bool, broadcast: Callable[[Tensor, str], Tensor], name: str
) -> Any:
    """Return the main process' JSON-like value; `broadcast(tensor, name)` does it for a tensor."""
    data = torch.tensor(list(json.dumps(value).encode()) if is_main else [0], dtype=torch.uint8)
    length = broadcast(torch.tensor([len(data)]), f"{name}.length")
    if not is_main:
        data = torch.zeros(int(length), dtype=torch.uint8)
    return json.loads(bytes(broadcast(data, name).tolist()))
