"""Time the data plane beside DuckDB, polars and RePlay on the same files: `make bench-data [ROWS=23000000]`.

    python tests/benchmarks/data_plane --rows 23000000 --workspace .workspace/bench

Generates the corpus where it is not there, runs each system in a process of its own, one after the other,
prints the README's table and writes <workspace>/bench/data.json. A started Spark session is not counted, the
first run in it is. Ratios are the other's seconds over ours; counts that both state have to be equal. Memory
and disk are peaks of a step, disk without the raw files and with what Spark shuffles; `stolen` is the share
of the processors' time that a virtual machine's host gave to others meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import corpus
from measured import Measured, measure

from sequoia.report.text_table import text_table

HERE = Path(__file__).parent
HELD = ("peak_gib", "spill_gib", "disk_gib", "stolen")  # of a stage, beside its seconds
STAGES = ("ingest", "index", "sequences", "negatives")
OTHERS = ("duckdb", "polars", "replay")
USUAL = ("duckdb", "polars")  # RePlay's driver holds the names of all users
# Of the others, the steps that make what our stage makes.
SAME = {
    "ingest_csv": ["ingest"],
    "index": ["index"],
    "kcore": ["kcore"],
    "sequences": ["encode", "sequences"],
}


def main() -> None:
    """Run all that was asked for, print and store."""
    asked = _arguments()
    found = _csv(asked.workspace.absolute() / str(asked.rows), asked)
    if asked.reviews:
        workspace = asked.workspace.absolute() / "reviews" / str(asked.reviews)
        found["stages"]["ingest_json"] = _json(workspace, asked)
    place = asked.workspace.absolute() / "bench" / f"data-{asked.rows}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=1))
    shutil.copy(place, place.with_name("data.json"))
    print(_table(found, asked.others), place, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=23_000_000, help="ratings lines")
    parser.add_argument("--workspace", type=Path, default=Path(".workspace/bench"))
    parser.add_argument("--reviews", type=int, default=2_400_000, help="gzip JSON lines; 0: none")
    parser.add_argument("--others", nargs="*", choices=OTHERS, default=USUAL, help="systems beside sequoia")
    return parser.parse_args()


def _csv(workspace: Path, asked: argparse.Namespace) -> dict[str, Any]:
    settings = corpus.ratings(asked.rows)
    corpus.write(workspace, settings)
    raw = workspace / "raw"
    ours = _sequoia(workspace, settings, STAGES)
    found: dict[str, Any] = {
        "machine": _machine(),
        "rows": asked.rows,
        "raw_gib": sum(file.stat().st_size for file in raw.iterdir()) / 2**30,
        "counts": ours.said["counts"],
        "peak_gib": ours.peak_gib,
        "disk_gib": ours.disk_gib,
        "spill_gib": sum(step.get("spill_gib", 0.0) for step in ours.steps.values()),
        "stages": _stages(ours),
    }
    for name in asked.others:
        other = _other(name, raw, workspace / name, "csv")
        same = {count: ours.said["counts"][count] for count in other.said["counts"]}
        assert same == other.said["counts"], (name, same, other.said["counts"])
        _compare(found["stages"], name, other)
        found |= {f"{name}_peak_gib": other.peak_gib, f"{name}_disk_gib": other.disk_gib}
    found["total"] = _total(found["stages"], asked.others)
    return found


def _stages(ours: Measured) -> dict[str, dict[str, Any]]:
    """Return our stages by the names of the table; the core is a part of the sequences' stage."""
    core = ours.said["kcore_s"]
    rows: dict[str, dict[str, Any]] = {"kcore": {"sequoia_s": core}}
    for name, step in ours.steps.items():
        if "seconds" in step:
            own = step["seconds"] - (core if name == "sequences" else 0.0)
            measured = {key: step[key] for key in HELD}
            rows[{"ingest": "ingest_csv"}.get(name, name)] = {"sequoia_s": own} | measured
    sets = ours.said["counts"]["candidate_sets"]
    rows["negatives"]["sets_s"] = sets / rows["negatives"]["sequoia_s"]
    return {name: rows[name] for name in ("ingest_csv", "index", "kcore", "sequences", "negatives")}


def _compare(stages: dict[str, dict[str, Any]], name: str, other: Measured) -> None:
    for stage, steps in SAME.items():
        seconds = sum(other.seconds[step] for step in steps)
        stages[stage] |= {f"{name}_s": seconds, f"ratio_{name}": seconds / stages[stage]["sequoia_s"]}


def _total(stages: Mapping[str, Mapping[str, Any]], others: tuple[str, ...]) -> dict[str, float]:
    total = {"sequoia_s": sum(stages[stage]["sequoia_s"] for stage in SAME)}
    for name in others:
        seconds = sum(stages[stage][f"{name}_s"] for stage in SAME)
        total |= {f"{name}_s": seconds, f"ratio_{name}": seconds / total["sequoia_s"]}
    return total


def _json(workspace: Path, asked: argparse.Namespace) -> dict[str, Any]:
    settings = corpus.reviews(asked.reviews)
    corpus.write(workspace, settings)
    raw = workspace / "raw"
    ours = _sequoia(workspace, settings, ("ingest",))
    step = ours.steps["ingest"]
    row = {"sequoia_s": step["seconds"], "lines": asked.reviews}
    row |= {key: step[key] for key in HELD}
    if "duckdb" in asked.others:
        other = _other("duckdb", raw, workspace / "duckdb", "json")
        ours_rows, other_rows = (one.said["counts"]["interactions"] for one in (ours, other))
        # DuckDB cannot read the first line, which has a byte order mark.
        assert ours_rows - 1 <= other_rows <= ours_rows, (ours.said, other.said)
        seconds = other.seconds["ingest"]
        row |= {"duckdb_s": seconds, "ratio_duckdb": seconds / step["seconds"]}
    return row


def _sequoia(workspace: Path, settings: list[str], stages: tuple[str, ...]) -> Measured:
    for name in ("warehouse", "snapshots", "mlflow.db", "spark"):
        shutil.rmtree(workspace / name, ignore_errors=True)
    stated = [f"workspace={workspace}", "ingest.raw=generated", *settings]
    stated.append(f"spark.conf={{spark.local.dir: {workspace / 'spark'}}}")
    command = [sys.executable, str(HERE / "sequoia_stages.py"), ",".join(stages), *stated]
    return measure(command, workspace, beside="raw")


def _other(name: str, raw: Path, out: Path, form: str) -> Measured:
    shutil.rmtree(out, ignore_errors=True)
    python = _python_of_replay() if name == "replay" else sys.executable
    found = measure([python, str(HERE / f"{name}_steps.py"), str(raw), str(out), form], out)
    shutil.rmtree(out)
    return found


def _python_of_replay() -> str:
    """Return the Python of an environment with RePlay, made where there is none."""
    folder = HERE.parents[2] / ".venv-replay"
    if not (folder / "made").exists():
        venv.create(folder, clear=True, with_pip=True)
        packages = HERE / "replay.txt"
        subprocess.run([folder / "bin" / "pip", "install", "-q", "-r", packages], check=True)
        (folder / "made").touch()
    return str(folder / "bin" / "python")


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "unknown")
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def _table(found: dict[str, Any], others: tuple[str, ...]) -> str:
    rows = []
    for name, row in {**found["stages"], "total": found["total"]}.items():
        rate = row.get("lines", found["rows"]) / row["sequoia_s"]
        held = [row.get(key) for key in HELD]
        beside = [
            row.get(f"{kind}{other}{unit}") for other in others for kind, unit in (("", "_s"), ("ratio_", ""))
        ]
        rows.append([name, f"{row['sequoia_s']:.1f}", f"{rate:,.0f}", *map(_figure, [*held, *beside])])
    titles = [title for other in others for title in (f"{other} s", "ratio")]
    return "\n".join(
        text_table(["stage", "seconds", "rows/s", "GiB", "spilled", "disk", "stolen", *titles], rows)
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
