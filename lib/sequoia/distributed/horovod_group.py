"""Horovod over Gloo: the only file that knows Horovod."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import horovod.torch as hvd
import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import Optimizer

from sequoia.distributed.json_tensor import broadcast_json


class HorovodGroup:
    """The processes that horovodrun has started."""

    def __init__(self) -> None:
        hvd.init()
        self.rank = int(hvd.rank())
        self.size = int(hvd.size())

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0."""
        return self.rank == 0

    def broadcast_object(self, value: Any, *, name: str) -> Any:
        """Send rank 0's value as JSON: Horovod's own broadcast_object pickles."""

        def broadcast(tensor: Tensor, tensor_name: str) -> Tensor:
            return cast(Tensor, hvd.broadcast(tensor, root_rank=0, name=tensor_name))

        return broadcast_json(value, is_main=self.is_main, broadcast=broadcast, name=name)

    def broadcast_module(self, module: nn.Module) -> None:
        """Give every process rank 0's parameters and buffers."""
        hvd.broadcast_parameters(module.state_dict(), root_rank=0)

    def all_reduce_sum(self, values: dict[str, float]) -> dict[str, float]:
        """Add up numbers in one collective; the keys must be the same everywhere."""
        names = sorted(values)
        summed = hvd.allreduce(
            torch.tensor([values[name] for name in names], dtype=torch.float64),
            op=hvd.Sum,
            name="sum." + ".".join(names),
        )
        return dict(zip(names, summed.tolist(), strict=True))

    def wrap_optimizer(self, optimizer: Optimizer, parameters: Iterable[tuple[str, Parameter]]) -> Optimizer:
        """Add up gradients while backward is still running."""
        wrapped = hvd.DistributedOptimizer(optimizer, named_parameters=list(parameters), op=hvd.Sum)
        return cast(Optimizer, wrapped)

    def barrier(self) -> None:
        """Wait for all processes."""
        hvd.allreduce(torch.zeros(1), name="barrier")

    def close(self) -> None:
        """Shut Horovod down."""
        hvd.shutdown()
