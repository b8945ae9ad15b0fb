"""Time the training plane beside RePlay, RecTools and RecBole on the same shoppers: `make bench-train`.

    python tests/benchmarks/training_plane/compare.py --sequences Beauty/sequences.txt.gz --workspace <folder>

Each system runs in processes of its own, one after the other, on all cores of this process. The peers run in
an environment of their own, .venv-peers, which is made where there is none, with glibc told to keep freed
memory and use huge pages: without it they take twice as long, sequoia does not need it. They train for
--seconds and are then judged by the test items; sequoia trains for its speed as they do, and for its quality
by conf/beauty.yaml. Positions are targets learned from: of all systems as many an epoch.

Prints a table and writes <workspace>/bench/train.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from statistics import median
from typing import Any

import sequoia_sasrec
import shoppers

from sequoia.report.text_table import text_table

HERE = Path(__file__).parent
PEERS = ("replay", "rectools", "recbole")
DATA = Path(os.environ.get("SEQUOIA_TEST_DATA", "data")) / "amazon2014" / "Beauty" / "sequences.txt.gz"
TUNED = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736"


def main() -> None:
    """Measure what was asked for, print and store."""
    asked = _arguments()
    if not asked.sequences.is_file():
        sys.exit(f"{asked.sequences} does not exist: name a file of one user a line with --sequences")
    users = shoppers.read(asked.sequences)
    threads = len(os.sched_getaffinity(0))
    road = sequoia_sasrec.Road(asked.workspace.absolute() / "road", asked.sequences.absolute())
    road.prepare()
    step: dict[str, Any] = sequoia_sasrec.rates(road, threads)
    step["floor_events_s"] = sequoia_sasrec.floor(threads, max(max(items) for items in users))
    scaling = sequoia_sasrec.scaling(road)
    own = sequoia_sasrec.quality(road, threads, users)
    found = {
        "machine": machine(),
        "reader": _reader_rates(asked.workspace.absolute() / "rows"),
        "step": step | _peers(asked, threads, own),
        "scaling": scaling,
        "evaluate": {"seconds": own["evaluate_s"], "users": len(users)},
    }
    place = asked.workspace.absolute() / "bench" / "train.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=1))
    print(_table(found, asked.others), json.dumps(found, indent=1), place, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=Path, default=DATA, help="one user a line: a number, then items")
    parser.add_argument("--workspace", type=Path, default=Path(".workspace/bench-train"))
    parser.add_argument("--seconds", type=float, default=780.0, help="that a peer trains")
    parser.add_argument("--others", nargs="*", choices=PEERS, default=PEERS, help="systems beside sequoia")
    return parser.parse_args()


def _peers(asked: argparse.Namespace, threads: int, own: dict[str, float]) -> dict[str, Any]:
    """Return positions a second of each peer, and what the best of them learns in its time beside us."""
    found: dict[str, Any] = {}
    learned = {}
    for name in asked.others:
        lines = _run_peer(name, asked, threads)
        rates = [line["positions"] / line["seconds"] for line in lines if line.get("step") == "epoch"]
        found[f"{name}_events_s"] = median(rates) if rates else None
        learned[name] = {"ndcg": lines[-1]["ndcg"], "seconds": lines[-1]["seconds"]}
    best = max(learned, key=lambda name: learned[name]["ndcg"], default=None)
    same = {"ndcg": own["ndcg"], "sequoia_s": own["train_s"], "peers": learned}
    if best is not None:
        same |= {"best_peer": best, "best_peer_s": learned[best]["seconds"]}
    return found | {"same_quality": same}


def _run_peer(name: str, asked: argparse.Namespace, threads: int) -> list[dict[str, Any]]:
    scratch = asked.workspace.absolute() / name
    scratch.mkdir(parents=True, exist_ok=True)
    given = [asked.sequences.absolute(), asked.seconds, scratch]
    command = [_python_of_peers(), str(HERE / f"{name}_sasrec.py"), *map(str, given)]
    environment = {**os.environ, "GLIBC_TUNABLES": TUNED, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}: {done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _python_of_peers() -> str:
    """Return the Python of the peers' environment, made where there is none."""
    folder = HERE.parents[2] / ".venv-peers"
    if not (folder / "made").exists():
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", "-r", HERE / "peers.txt"], check=True)
        (folder / "made").touch()
    return str(folder / "bin" / "python")


def _reader_rates(folder: Path) -> dict[str, float]:
    command = [sys.executable, str(HERE / "reader_rates.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rates: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return rates


def machine() -> str:
    """Return the processor and how many cores this process has."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    name = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "unknown")
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def _table(found: dict[str, Any], others: tuple[str, ...]) -> str:
    step = found["step"]
    own, same = step["sequoia_events_s"], step["same_quality"]
    rows = [["sequoia", f"{own:,.0f}", "1.0", f"{same['ndcg']:.4f}", f"{same['sequoia_s']:.0f}"]]
    for name in others:
        rate, learned = step[f"{name}_events_s"], same["peers"][name]
        ratio = ["", ""] if rate is None else [f"{rate:,.0f}", f"{own / rate:.1f}"]
        rows.append([name, *ratio, f"{learned['ndcg']:.4f}", f"{learned['seconds']:.0f}"])
    rows.append(["products of logits alone", f"{step['floor_events_s']:,.0f}", "", "", ""])
    return "\n".join(text_table(["", "positions/s", "ratio", "NDCG@10", "after s"], rows))


if __name__ == "__main__":
    main()
