"""What every group of processes must do; run by each process as `work([LAUNCHER, FOLDER])`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sequoia.distributed.collective import Collective, connect, end_process
from sequoia.distributed.gradients import GradientSum
from sequoia.distributed.values import add_up, from_main, tensors_from_main


def rows_of(rank: int) -> Tensor:
    """Return this rank's rows: their number differs by rank."""
    return torch.arange(12.0).view(4, 3)[: rank + 1] + rank


def gradients(group: Collective) -> dict[str, list[float]]:
    """Return summed gradients by the size of buckets; a rank without a row runs no backward."""
    found = {}
    for bucket in (1, 64, 1 << 20):
        torch.manual_seed(5)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        summed = GradientSum(model.parameters(), group, bucket=bucket)
        for step in range(2):
            summed.zero()
            rows = rows_of(group.rank)
            if group.rank != 1 or step:
                model(rows).square().sum().backward()
            summed.start_rest()
            group.sum(torch.ones(3))  # meets the others' only if the buckets came first everywhere
            summed.wait()
            summed.multiply(torch.tensor(0.5))
            name = f"{bucket}, step {step}"
            found[name] = [value for one in model.parameters() for value in one.grad.flatten().tolist()]
    return found


def observe(group: Collective) -> dict[str, Any]:
    """Exercise every verb and return what this process saw."""
    mine = torch.tensor([group.rank + 1.0, 10.0])
    started = mine.clone()
    wait = group.start_sum(started)
    doubled = group.sum(2 * mine)
    wait()
    exchanged, came = group.all_to_all(
        torch.full((group.size * (group.size + 1) // 2, 2), group.rank), [*range(1, group.size + 1)]
    )
    group.barrier()
    named = {"a": torch.full((2, 2), group.rank + 7), "b": torch.tensor(group.rank + 0.5)}
    return {
        "rank": group.rank,
        "size": group.size,
        "is_main": group.is_main,
        "started_sum": started.tolist(),
        "sum": doubled.tolist(),
        "untouched": mine.tolist(),
        "broadcast": group.broadcast(mine).tolist(),
        "all_gather": group.all_gather(mine).tolist(),
        "all_to_all": [exchanged[:, 0].tolist(), came],
        "reduce_scatter": group.reduce_scatter(torch.arange(2.0 * group.size).view(-1, 2)).tolist(),
        "value": from_main({"from": group.rank, "text": "é", "long": "x" * 5000 * (1 - group.rank)}, group),
        "nothing": from_main(None, group),
        "numbers": add_up({"rank": group.rank, "one": 1}, group),
        "tensors": {name: t.tolist() for name, t in tensors_from_main(named, group).items()},
        "gradients": gradients(group),
    }


def work(arguments: list[str]) -> None:
    """Join the group of a launcher, and leave what was seen in a folder."""
    launcher, folder = arguments
    group = connect(launcher, device=torch.device("cpu"), timeout_seconds=60)
    seen = observe(group)
    Path(folder, f"{group.rank}.json").write_text(json.dumps(seen))
    group.close()


if __name__ == "__main__":
    work(sys.argv[1:])
    end_process()
