"""Horovod over Gloo, on GPUs over NCCL where it was built with it: the only file that knows Horovod."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import cast

import horovod.torch as hvd
import torch
from torch import Tensor

from sequoia.distributed.collective import Wait
from sequoia.errors import UserError


class HorovodGroup:
    """The processes that horovodrun has started.

    Horovod brings tensors of one name together, in whatever order the ranks name them, and remembers for a
    name what was agreed on: new ones in every step double the time of a small model's epoch. So a tensor is
    called by its kind, and by a number where others of it are on the way.
    """

    def __init__(self, device: torch.device) -> None:
        """Join; raises UserError where tensors of the device cannot be exchanged."""
        if device.type == "cuda" and not hvd.nccl_built():
            raise UserError(
                "training.device is a GPU, and Horovod was built without NCCL: run `make horovod-nccl`, "
                "or set training.launcher=torchrun or training.device=cpu"
            )
        hvd.init()
        self.rank = int(hvd.rank())
        self.size = int(hvd.size())
        self._on_the_way: set[str] = set()

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0."""
        return self.rank == 0

    def start_sum(self, tensor: Tensor) -> Wait:
        """Begin to add up; Horovod's own thread does it."""
        name = self._name("sum", tensor)
        handle = hvd.allreduce_async_(tensor, op=hvd.Sum, name=name)
        self._on_the_way.add(name)

        def wait() -> None:
            hvd.synchronize(handle)
            self._on_the_way.remove(name)

        return wait

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the ranks' tensors."""
        return cast(Tensor, hvd.allreduce(tensor, op=hvd.Sum, name=self._name("sum", tensor)))

    def broadcast(self, tensor: Tensor) -> Tensor:
        """Return rank 0's tensor."""
        return cast(Tensor, hvd.broadcast(tensor, root_rank=0, name=self._name("broadcast", tensor)))

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks, (size, ...)."""
        return cast(Tensor, hvd.allgather(tensor[None], name=self._name("gather", tensor)))

    def all_to_all(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Exchange rows; Horovod exchanges the counts on the way."""
        splits = torch.tensor(counts, dtype=torch.int32)
        found, came = hvd.alltoall(rows, splits=splits, name=self._name("exchange", rows[0:0]))
        return found, came.tolist()

    def reduce_scatter(self, tensor: Tensor) -> Tensor:
        """Return this rank's part of the sum over ranks."""
        return cast(Tensor, hvd.reducescatter(tensor, op=hvd.Sum, name=self._name("reduce_scatter", tensor)))

    def barrier(self) -> None:
        """Wait for all processes."""
        self.sum(torch.zeros(1))

    def close(self) -> None:
        """Shut Horovod down."""
        hvd.shutdown()

    def _name(self, verb: str, tensor: Tensor) -> str:
        kind = f"{verb} {tensor.dtype} {[*tensor.shape]}"
        return next(name for at in count() if (name := f"{kind} {at}") not in self._on_the_way)
