"""Time the training plane on a GPU: where a step goes, utilisation, a million items.

    python tests/benchmarks/training_plane/gpu.py --sequences Beauty/sequences.txt.gz --workspace <folder>

`make bench-gpu`. Batches are random and as full as they can be, but for the training on the shoppers, by
conf/beauty.yaml. --device cpu --small walks through all of it on a processor, to see that it runs: its
figures mean nothing. Prints and writes <workspace>/bench/gpu.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import sequoia_sasrec
import shoppers
import torch
from single_step import Size, make_learner, milliseconds, random_step

from sequoia.losses.full import full_softmax
from sequoia.training.effort import Effort

DATA = Path(os.environ.get("SEQUOIA_TEST_DATA", "data")) / "amazon2014" / "Beauty" / "sequences.txt.gz"
MODELS = {
    "sasrec-64": Size(64, 2, 1, 50, 4096, 12_101),
    "wide-1024": Size(1024, 8, 16, 200, 128, 100_000),
}
SMALL = {"sasrec-64": Size(64, 2, 1, 50, 16, 2_000), "wide-1024": Size(64, 8, 4, 40, 4, 2_000)}


def main() -> None:
    """Measure, print and store."""
    asked = _arguments()
    device = torch.device(asked.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.exit("there is no GPU here: `--device cpu --small` shows that the benchmark runs")
    sizes = SMALL if asked.small else MODELS
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "steps": {name: step_split(size, device) for name, size in sizes.items()},
        "softmax": exact_softmax(2_000 if asked.small else 1_000_000, device),
        "beauty": None if asked.small else beauty(asked.workspace.absolute(), asked.sequences.absolute()),
    }
    place = asked.workspace.absolute() / "bench" / "gpu.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1), place, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=Path, default=DATA, help="one user a line: a number, then items")
    parser.add_argument("--workspace", type=Path, default=Path(".workspace/bench-gpu"))
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--small", action="store_true", help="models that a processor can train, too")
    return parser.parse_args()


def step_split(size: Size, device: torch.device) -> dict[str, Any]:
    """Return the milliseconds of the parts of a step, tokens a second and utilisation."""
    learner = make_learner(size, device)
    step = random_step(size)
    sent = replace(step, batches=[one.to(device) for one in step.batches])
    examples = sent.batches[0]
    compiled = make_learner(size, device, "training.compile=true")
    whole = milliseconds(lambda: learner.learn(step), device)
    on_device = milliseconds(lambda: learner.learn(sent), device)
    forward = milliseconds(lambda: learner.model.encode(examples.batch), device)
    both = milliseconds(lambda: learner.gradients_of(examples), device)
    effort = Effort.of(learner, sent)
    assert effort is not None
    targets = len(examples.targets_N)
    return {
        "step_ms": whole,
        "input_ms": whole - on_device,
        "encode_ms": forward,
        "forward_and_backward_ms": both,
        "optimizer_ms": on_device - both,
        "compiled_step_ms": milliseconds(lambda: compiled.learn(step), device),
        "tokens_s": targets / whole * 1000,
        "utilisation": effort.note(targets, whole / 1000, 1)["utilisation"],
        "parameters": effort.parameters,
        "peak_gib": _peak(device),
    }


def exact_softmax(items: int, device: torch.device) -> dict[str, float]:
    """Return what the exact softmax of 4,096 targets over so many items takes, forward and backward."""
    states = torch.randn(4096, 64, device=device, requires_grad=True)
    vectors = torch.randn(items, 64, device=device, requires_grad=True)
    targets = torch.randint(2, items, (4096,), device=device)
    before = _peak(device, reset=True)

    def once() -> None:
        full_softmax(
            states, targets, vectors, target_tile=512, item_tile=32768, dtype=torch.bfloat16
        ).backward()  # type: ignore[no-untyped-call]

    return {"items": items, "ms": milliseconds(once, device), "extra_gib": _peak(device) - before}


def beauty(workspace: Path, sequences: Path) -> dict[str, float]:
    """Return the quality that conf/beauty.yaml comes to, and after how many seconds."""
    road = sequoia_sasrec.Road(workspace / "road", sequences)
    road.prepare()
    return sequoia_sasrec.quality(road, len(os.sched_getaffinity(0)), shoppers.read(sequences))


def _peak(device: torch.device, *, reset: bool = False) -> float:
    if device.type != "cuda":
        return 0.0
    if reset:
        torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.max_memory_allocated(device) / 2**30


if __name__ == "__main__":
    main()
