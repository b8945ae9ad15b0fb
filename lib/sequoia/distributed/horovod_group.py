"""Horovod over Gloo: the only file that knows Horovod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import horovod.torch as hvd
import torch
from torch import Tensor

from sequoia.distributed.collective import Wait


class HorovodGroup:
    """The processes that horovodrun has started.

    Horovod brings tensors of one name together, in whatever order the ranks name them; here the name is the
    number of the call, as all ranks make the same calls.
    """

    def __init__(self) -> None:
        hvd.init()
        self.rank = int(hvd.rank())
        self.size = int(hvd.size())
        self._calls = 0

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0."""
        return self.rank == 0

    def start_sum(self, tensor: Tensor) -> Wait:
        """Begin to add up; Horovod's own thread does it."""
        handle = hvd.allreduce_async_(tensor, op=hvd.Sum, name=self._name())
        return lambda: hvd.synchronize(handle)

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the ranks' tensors."""
        return cast(Tensor, hvd.allreduce(tensor, op=hvd.Sum, name=self._name()))

    def broadcast(self, tensor: Tensor) -> Tensor:
        """Return rank 0's tensor."""
        return cast(Tensor, hvd.broadcast(tensor, root_rank=0, name=self._name()))

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks, (size, ...)."""
        return cast(Tensor, hvd.allgather(tensor[None], name=self._name()))

    def all_to_all(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Exchange rows; Horovod exchanges the counts on the way."""
        splits = torch.tensor(counts, dtype=torch.int32)
        found, came = hvd.alltoall(rows, splits=splits, name=self._name())
        return found, came.tolist()

    def reduce_scatter(self, tensor: Tensor) -> Tensor:
        """Return this rank's part of the sum over ranks."""
        return cast(Tensor, hvd.reducescatter(tensor, op=hvd.Sum, name=self._name()))

    def barrier(self) -> None:
        """Wait for all processes."""
        self.sum(torch.zeros(1))

    def close(self) -> None:
        """Shut Horovod down."""
        hvd.shutdown()

    def _name(self) -> str:
        self._calls += 1
        return f"sequoia.{self._calls}"
