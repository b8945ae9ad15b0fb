"""What every group of processes must do; run by each process as `python behaviour.py LAUNCHER FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from sequoia.distributed.collective import Collective, connect, leave


def observe(group: Collective) -> dict[str, object]:
    """Exercise every verb and return what this process saw."""
    torch.manual_seed(100 + group.rank)
    model = torch.nn.Linear(3, 1)
    group.broadcast_module(model)
    start = [value for parameter in model.parameters() for value in parameter.flatten().tolist()]
    optimizer = group.wrap_optimizer(torch.optim.SGD(model.parameters(), lr=0.1), model.named_parameters())
    optimizer.zero_grad()
    model(torch.full((1, 3), float(group.rank + 1))).sum().backward()
    optimizer.step()
    group.barrier()
    return {
        "rank": group.rank,
        "size": group.size,
        "is_main": group.is_main,
        "object": group.broadcast_object({"from": group.rank, "text": "é"}, name="greeting"),
        "sum": group.all_reduce_sum({"rank": float(group.rank), "one": 1.0}),
        "start": start,
        "weight": model.weight.flatten().tolist(),
    }


if __name__ == "__main__":
    joined = connect(sys.argv[1], timeout_seconds=60)
    seen = observe(joined)
    Path(sys.argv[2], f"{joined.rank}.json").write_text(json.dumps(seen))
    leave(joined)
