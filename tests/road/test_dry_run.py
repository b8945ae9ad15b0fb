"""What a dry run says of files and stages; beside a real diary it is in test_run_leaves.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from sequoia.cli import cli
from sequoia.config import load_config
from sequoia.road.dry_run import Past, describe_input, estimates
from sequoia.road.stage import Context

NIGHT = datetime(2026, 1, 5, 4, 30, tzinfo=UTC)


def past(seconds: float, rows_in: int, settings: str = "now") -> Past:
    return Past(run_id="r1", finished=NIGHT, seconds=seconds, rows_in=rows_in, settings_hash=settings)


def test_rows_and_minutes_grow_with_the_input() -> None:
    told = estimates(
        ["ingest", "index", "train"], {"ingest": past(90, 1000), "index": past(30, 800)}, 2.0, "now"
    )
    assert [line.split() for line in told[2:]] == [
        ["ingest", "2,000", "3.0", "2026-01-05", "04:30", "UTC,", "run", "r1"],
        ["index", "1,600", "1.0", "2026-01-05", "04:30", "UTC,", "run", "r1"],
        ["train", "-", "-", "no", "earlier", "run"],
        ["total", "4.0", "without", "those", "of", "no", "earlier", "run"],
    ]


def test_other_settings_than_at_the_last_run_are_marked() -> None:
    told = estimates(["ingest", "index"], {"ingest": past(60, 5), "index": past(60, 5, "then")}, 1.0, "now")
    assert told[2].endswith("run r1") and told[3].endswith("run r1 *")
    assert told[-1] == "* with other settings than now"


def test_files_are_shown_with_size_and_format(tmp_path: Path) -> None:
    review = {"reviewerID": "u1", "asin": "B1", "overall": 5.0, "unixReviewTime": 1_400_000_000}
    (tmp_path / "Toys_5.json").write_text(json.dumps(review) + "\n")
    (tmp_path / "ratings_Toys.csv").write_text("u1,B1,5.0,1400000000\n" * 100)
    (tmp_path / "notes.txt").write_text("to do\n")
    (tmp_path / "table" / "_delta_log").mkdir(parents=True)
    (tmp_path / "table" / "_delta_log" / "00000000000000000000.json").write_text("{}\n")
    shown, size = describe_input(Context(load_config(overrides=[f"ingest.raw={tmp_path}"])))
    found = {line.split()[0]: " ".join(line.split()[1:]) for line in shown}
    assert found["Toys_5.json"] == "0.1 kB reviews"
    assert found["ratings_Toys.csv"] == "2.1 kB ratings"
    assert found["notes.txt"] == "0.0 kB not read: of no known format"
    assert any(line.split()[-4:] == "- events (Delta table)".split() for line in shown)
    assert shown[-1] == "3 files to read, 2.2 kB"
    assert size == 2100 + len(json.dumps(review)) + 1


def test_a_generated_corpus_and_a_missing_folder(tmp_path: Path) -> None:
    shown, size = describe_input(
        Context(load_config(overrides=["ingest.raw=generated", "synthetic.users=4000"]))
    )
    assert shown == ["Input: the generated corpus, 4,000 users in Garden_Tools, Board_Games"]
    assert size is None
    raw = f"ingest.raw={tmp_path / 'nowhere'}"
    done = CliRunner().invoke(cli, ["run", "--dry-run", raw, f"workspace={tmp_path / 'ws'}"])
    assert "does not exist: name a folder" in str(done.exception)


def test_a_dry_run_without_a_diary_starts_no_spark_and_writes_nothing(tmp_path: Path) -> None:
    settings = ["ingest.raw=generated", f"workspace={tmp_path / 'ws'}"]
    for command in ("run", "demo"):
        done = CliRunner().invoke(cli, [command, "--dry-run", "--to", "index", *settings])
        assert done.exit_code == 0, done.output
        assert done.output.splitlines()[0] == "Would run ingest, index"
        assert done.output.count("no earlier run") == 2
    assert list(tmp_path.iterdir()) == []
