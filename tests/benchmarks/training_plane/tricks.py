"""What each trick of the training plane brings, on the shoppers of compare.py: `make bench-tricks`.

    python tests/benchmarks/training_plane/tricks.py --sequences Beauty/sequences.txt.gz --workspace <folder>

Rows of a step: positions a second, alone on all cores. The softmax over all items forward and backward, plain
(torch's own cross-entropy over all logits) and in tiles: time, and memory beyond what was held before. A step
against samples with each optimizer of the items. Test NDCG@10 and seconds of training by conf/beauty.yaml:
with the full softmax, with samples, and with samples first and the full softmax for a few epochs from there.

Needs Linux, for the memory. Prints tables and writes <workspace>/bench/tricks.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sequoia_sasrec
import shoppers
import torch
from compare import DATA, machine
from single_step import Size, make_learner, milliseconds, random_step
from torch import Tensor
from torch.nn import functional as F

from sequoia.losses.full import full_softmax
from sequoia.report.text_table import text_table

CPU = torch.device("cpu")
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
ROWS_OF_A_STEP = (32, 128, 256, 512, 1024)
EVENTS, ROWS = 6, 256  # of a shopper on average, of a step
ITEMS = (12_101, 1_000_000)
TARGETS = {12_101: EVENTS * ROWS, 1_000_000: 256}  # plain logits of more would not fit beside a million items
SAMPLED, FULL = "loss.kind=sampled", "loss.kind=full"
FINISH = (FULL, "training.epochs=4", "training.learning_rate=0.001")


def main() -> None:
    """Measure, print and store."""
    asked = _arguments()
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    road = sequoia_sasrec.Road(asked.workspace.absolute() / "road", asked.sequences.absolute())
    road.prepare()
    found = {
        "machine": machine(),
        "rows_of_a_step": rows_of_a_step(road, threads),
        "softmax": [
            softmax(items, tiled, name) for items in ITEMS for tiled in (False, True) for name in TYPES
        ],
        "item_optimizers": [
            item_optimizer(items, rule) for items in ITEMS for rule in ("dense", "adam", "adagrad")
        ],
        "quality": qualities(road, threads, shoppers.read(asked.sequences)),
    }
    place = asked.workspace.absolute() / "bench" / "tricks.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=1))
    print(_tables(found), place, sep="\n\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=Path, default=DATA, help="one user a line: a number, then items")
    parser.add_argument("--workspace", type=Path, default=Path(".workspace/bench-tricks"))
    asked = parser.parse_args()
    if not asked.sequences.is_file():
        sys.exit(f"{asked.sequences} does not exist: name a file of one user a line with --sequences")
    return asked


def rows_of_a_step(road: sequoia_sasrec.Road, threads: int) -> dict[str, float]:
    """Return positions a second by the rows of a step, with the logits that the machine is good at."""
    same = [*sequoia_sasrec.ALIKE, *sequoia_sasrec.ALONE, f"training.threads={threads}", "training.epochs=4"]
    return {
        str(rows): sequoia_sasrec.rate(road.train(*same, f"training.batch_size={rows}"))
        for rows in ROWS_OF_A_STEP
    }


def softmax(items: int, tiled: bool, name: str) -> dict[str, Any]:
    """Return what the loss of a step takes, forward and backward: milliseconds and MiB."""
    states = torch.randn(TARGETS[items], shoppers.WIDTH, requires_grad=True)
    vectors = torch.randn(items, shoppers.WIDTH, requires_grad=True)
    targets = torch.randint(2, items, (TARGETS[items],))
    loss = _tiled if tiled else _plain

    def once() -> None:
        states.grad = vectors.grad = None
        loss(states, vectors, targets, TYPES[name]).backward()  # type: ignore[no-untyped-call]

    taken = milliseconds(once, CPU)
    return {
        "items": items,
        "targets": TARGETS[items],
        "form": "tiles" if tiled else "plain",
        "logits": name,
        "ms": taken,
        "extra_mib": _extra_mib(once),
    }


def _tiled(states: Tensor, vectors: Tensor, targets: Tensor, dtype: torch.dtype) -> Tensor:
    return full_softmax(states, targets, vectors, target_tile=512, item_tile=32768, dtype=dtype)


def _plain(states: Tensor, vectors: Tensor, targets: Tensor, dtype: torch.dtype) -> Tensor:
    return F.cross_entropy(states.to(dtype) @ vectors.to(dtype).T, targets, reduction="sum")


def _extra_mib(act: Callable[[], None]) -> float:
    """Return how much more memory the process holds at its highest than before."""
    act()
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew
    before = _status("VmRSS")
    act()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def item_optimizer(items: int, rule: str) -> dict[str, Any]:
    """Return the milliseconds of a step against samples whose items are moved by a rule."""
    size = Size(shoppers.WIDTH, shoppers.BLOCKS, 2, EVENTS, ROWS, items)
    learner, step = make_learner(size, CPU, SAMPLED, f"training.item_optimizer={rule}"), random_step(size)
    return {"items": items, "optimizer": rule, "ms": milliseconds(lambda: learner.learn(step), CPU)}


def qualities(road: sequoia_sasrec.Road, threads: int, users: list[list[int]]) -> list[dict[str, Any]]:
    """Return NDCG@10 and the seconds of training of the ways to train by conf/beauty.yaml."""
    ways = {
        "full softmax": [],
        "full softmax, float32": ["loss.logits_type=float32"],
        "512 samples": [SAMPLED],
    }
    found = {way: sequoia_sasrec.quality(road, threads, users, *ways[way]) for way in ways}
    begun = found["512 samples"]
    finished = sequoia_sasrec.quality(road, threads, users, *FINISH, f"training.warm_start={road.folder}")
    finished |= {name: begun[name] + finished[name] for name in ("train_s", "epochs")}
    found["512 samples, then the full softmax"] = finished
    return [{"way": way, **values} for way, values in found.items()]


def _tables(found: dict[str, Any]) -> str:
    rates = found["rows_of_a_step"]
    tables = (
        (["rows of a step", "positions/s"], [[rows, f"{rate:,.0f}"] for rows, rate in rates.items()]),
        (
            ["items", "targets", "softmax", "logits", "ms", "MiB"],
            [
                [f"{one['items']:,}", str(one["targets"]), one["form"], one["logits"], f"{one['ms']:.1f}",
                 f"{one['extra_mib']:,.0f}"]
                for one in found["softmax"]
            ],
        ),
        (
            ["items", "optimizer of the items", "ms a step"],
            [[f"{one['items']:,}", one["optimizer"], f"{one['ms']:.1f}"] for one in found["item_optimizers"]],
        ),
        (
            ["way", "NDCG@10", "epochs", "s"],
            [
                [one["way"], f"{one['ndcg']:.4f}", f"{one['epochs']:.0f}", f"{one['train_s']:.0f}"]
                for one in found["quality"]
            ],
        ),
    )  # fmt: skip
    return "\n\n".join("\n".join(text_table(names, rows)) for names, rows in tables)


if __name__ == "__main__":
    main()
