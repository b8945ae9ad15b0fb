"""Time the data plane beside DuckDB and polars on the same files: `make bench-data [ROWS=23000000]`.

    python tests/benchmarks/data_plane --rows 23000000 --workspace .workspace/bench

Generates the corpus where it is not there, runs each system in a process of its own, one after the other,
prints the README's table and writes <workspace>/bench/data.json. A started Spark session is not counted, the
first run in it is. Ratios are DuckDB's seconds over ours; counts that both state have to be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import corpus
from measured import Measured, measure

from sequoia.report.text_table import text_table

HERE = Path(__file__).parent
STAGES = ("ingest", "index", "sequences", "negatives")
SHOWN = {"ingest": "ingest_csv", "index": "index", "kcore": "kcore", "sequences": "sequences"}


def main() -> None:
    """Run all that was asked for, print and store."""
    asked = _arguments()
    workspace = asked.workspace.absolute() / str(asked.rows)
    found = _csv(workspace, asked)
    if asked.reviews:
        found["stages"]["ingest_json"] = _json(workspace / "reviews", asked.reviews)
    place = asked.workspace.absolute() / "bench" / f"data-{asked.rows}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(found, indent=1))
    shutil.copy(place, place.with_name("data.json"))
    print(json.dumps(found, indent=1))
    print(_table(found), place, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=23_000_000, help="ratings lines")
    parser.add_argument("--workspace", type=Path, default=Path(".workspace/bench"))
    parser.add_argument("--reviews", type=int, default=2_400_000, help="gzip JSON lines; 0: none")
    parser.add_argument("--alone", action="store_true", help="sequoia without the others")
    return parser.parse_args()


def _csv(workspace: Path, asked: argparse.Namespace) -> dict[str, Any]:
    settings = corpus.ratings(asked.rows)
    raw = corpus.write(workspace, settings).workspace_path / "raw"
    ours = _sequoia(workspace, settings, STAGES)
    found: dict[str, Any] = {
        "machine": _machine(),
        "rows": asked.rows,
        "raw_gib": sum(file.stat().st_size for file in raw.iterdir()) / 2**30,
        "counts": ours.said["counts"],
        "peak_gib": ours.peak_gib,
        "disk_gib": ours.disk_gib,
        "spill_gib": ours.said["spill_gib"],
    }
    seconds = ours.said["seconds"]
    other = None if asked.alone else _duckdb(raw, workspace / "duckdb", "csv")
    if other:
        same = {name: count for name, count in ours.said["counts"].items() if name in other.said["counts"]}
        assert same == other.said["counts"], (same, other.said["counts"])
        found["duckdb_peak_gib"] = other.peak_gib
    of = other.said["seconds"] if other else {}
    found["stages"] = {shown: _row(seconds[name], of.get(name)) for name, shown in SHOWN.items()}
    sets = ours.said["counts"]["candidate_sets"]
    found["stages"]["negatives"] = {"sequoia_s": seconds["negatives"], "sets_s": sets / seconds["negatives"]}
    found["total"] = _row(sum(seconds[name] for name in SHOWN), sum(of.values()) if other else None)
    return found


def _json(workspace: Path, lines: int) -> dict[str, Any]:
    settings = corpus.reviews(lines)
    raw = corpus.write(workspace, settings).workspace_path / "raw"
    ours = _sequoia(workspace, settings, ("ingest",))
    other = _duckdb(raw, workspace / "duckdb", "json")
    ours_rows, other_rows = (one.said["counts"]["interactions"] for one in (ours, other))
    # DuckDB cannot read the first line, which has a byte order mark.
    assert ours_rows - 1 <= other_rows <= ours_rows, (ours.said, other.said)
    return _row(ours.said["seconds"]["ingest"], other.said["seconds"]["ingest"]) | {"lines": lines}


def _sequoia(workspace: Path, settings: list[str], stages: tuple[str, ...]) -> Measured:
    for name in ("warehouse", "snapshots", "mlflow.db"):
        shutil.rmtree(workspace / name, ignore_errors=True)
    stated = [f"workspace={workspace}", "ingest.raw=generated", *settings]
    command = [sys.executable, str(HERE / "sequoia_stages.py"), ",".join(stages), *stated]
    return measure(command, workspace)


def _duckdb(raw: Path, out: Path, form: str) -> Measured:
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, str(HERE / "duckdb_steps.py"), str(raw), str(out), form]
    found = measure(command, out)
    shutil.rmtree(out)
    return found


def _row(ours: float, other: float | None) -> dict[str, float]:
    if other is None:
        return {"sequoia_s": ours}
    return {"sequoia_s": ours, "duckdb_s": other, "ratio_duckdb": other / ours}


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "unknown")
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def _table(found: dict[str, Any]) -> str:
    rows = []
    for name, row in {**found["stages"], "total": found["total"]}.items():
        rate = found["rows"] / row["sequoia_s"] if name != "ingest_json" else row["lines"] / row["sequoia_s"]
        cells = [row.get("duckdb_s"), row.get("ratio_duckdb")]
        rows.append(
            [
                name,
                f"{row['sequoia_s']:.1f}",
                f"{rate:,.0f}",
                *("" if x is None else f"{x:.2f}" for x in cells),
            ]
        )
    return "\n".join(text_table(["stage", "seconds", "rows/s", "DuckDB s", "ratio"], rows))


if __name__ == "__main__":
    main()
