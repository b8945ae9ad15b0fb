"""torch.distributed over Gloo, for torchrun."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import Optimizer

from sequoia.distributed.json_tensor import broadcast_json


class TorchGroup:
    """The processes that torchrun has started (RANK, WORLD_SIZE and MASTER_* are set)."""

    def __init__(self, *, timeout_seconds: int) -> None:
        dist.init_process_group("gloo", timeout=timedelta(seconds=timeout_seconds))
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0."""
        return self.rank == 0

    def broadcast_object(self, value: Any, *, name: str) -> Any:
        """Send rank 0's value as JSON: torch's own broadcast_object_list pickles."""

        def broadcast(tensor: Tensor, _: str) -> Tensor:
            dist.broadcast(tensor, src=0)
            return tensor

        return broadcast_json(value, is_main=self.is_main, broadcast=broadcast, name=name)

    def broadcast_module(self, module: nn.Module) -> None:
        """Give every process rank 0's parameters and buffers."""
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, src=0)

    def all_reduce_sum(self, values: dict[str, float]) -> dict[str, float]:
        """Add up numbers in one collective; the keys must be the same everywhere."""
        names = sorted(values)
        summed = torch.tensor([values[name] for name in names], dtype=torch.float64)
        dist.all_reduce(summed)
        return dict(zip(names, summed.tolist(), strict=True))

    def wrap_optimizer(self, optimizer: Optimizer, parameters: Iterable[tuple[str, Parameter]]) -> Optimizer:
        """Add up gradients right before each step."""
        trained = [parameter for _, parameter in parameters]

        def sum_gradients(*_: object) -> None:
            for parameter in trained:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            flat = torch.cat(
                [parameter.grad.flatten() for parameter in trained if parameter.grad is not None]
            )
            dist.all_reduce(flat)
            offset = 0
            for parameter in trained:
                count = parameter.numel()
                parameter.grad = flat[offset : offset + count].view_as(parameter)
                offset += count

        optimizer.register_step_pre_hook(sum_gradients)
        return optimizer

    def barrier(self) -> None:
        """Wait for all processes."""
        dist.barrier()

    def close(self) -> None:
        """Leave the group.

        Before torch 2.8 a process group that ends waits for Gloo's threads with the GIL held, and one of them
        may need the GIL to let go of its last tensor (pytorch/pytorch#154976). The handle of the backend ends
        the same threads without the GIL, so it is what goes last.
        """
        backend = dist.distributed_c10d._get_default_group()._get_backend(torch.device("cpu"))
        dist.destroy_process_group()
        del backend
