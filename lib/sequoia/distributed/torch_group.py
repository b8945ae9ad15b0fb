"""torch.distributed over Gloo, on a GPU over NCCL: for torchrun and Spark's TorchDistributor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from sequoia.distributed.collective import Wait


class TorchGroup:
    """The processes that torchrun has started (RANK, WORLD_SIZE and MASTER_* are set).

    Plain values are told by tensors of the processor also where the model is on a GPU: both have a backend.
    """

    def __init__(self, *, device: torch.device, timeout_seconds: int) -> None:
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout_seconds))
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()

    @property
    def is_main(self) -> bool:
        """Say whether this is rank 0."""
        return self.rank == 0

    def start_sum(self, tensor: Tensor) -> Wait:
        """Begin to add up; threads of Gloo's or a stream of NCCL's do it."""
        work = dist.all_reduce(tensor, async_op=True)
        return lambda: work.wait()

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the ranks' tensors."""
        found = tensor.clone()
        dist.all_reduce(found)
        return found

    def broadcast(self, tensor: Tensor) -> Tensor:
        """Return rank 0's tensor."""
        found = tensor.clone()
        dist.broadcast(found, src=0)
        return found

    def all_gather(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks, (size, ...)."""
        found = tensor.new_empty(self.size, *tensor.shape)
        dist.all_gather([*found.unbind()], tensor.contiguous())
        return found

    def all_to_all(self, rows: Tensor, counts: Sequence[int]) -> tuple[Tensor, list[int]]:
        """Exchange the counts, then the rows."""
        came = torch.empty(self.size, dtype=torch.int64)
        dist.all_to_all_single(came, torch.tensor(counts))
        found = rows.new_empty(int(came.sum()), *rows.shape[1:])
        dist.all_to_all_single(found, rows.contiguous(), came.tolist(), [*counts])
        return found, came.tolist()

    def reduce_scatter(self, tensor: Tensor) -> Tensor:
        """Return this rank's part of the sum over ranks, by a sum: older Gloo has no such verb."""
        return self.sum(tensor).chunk(self.size)[self.rank].clone()

    def barrier(self) -> None:
        """Wait for all processes."""
        dist.all_reduce(torch.zeros(1))

    def close(self) -> None:
        """Leave the group.

        Before torch 2.8 a process group that ends waits for Gloo's threads with the GIL held, and one of them
        may need the GIL to let go of its last tensor (pytorch/pytorch#154976). The handle of the backend ends
        the same threads without the GIL, so it is what goes last.
        """
        backend = dist.distributed_c10d._get_default_group()._get_backend(torch.device("cpu"))
        dist.destroy_process_group()
        del backend
