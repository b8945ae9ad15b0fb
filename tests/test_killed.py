"""Killed with -9 anywhere between raw files and candidates: the next run ends as if nothing had been.

The workspace holds an older, smaller input, so that every table is replaced while the run is killed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sequoia.config import load_config
from sequoia.road.stage import Context
from sequoia.road.walk import run_stages
from sequoia.synthetic.corpus import write_corpus

pytestmark = [pytest.mark.spark, pytest.mark.delta, pytest.mark.slow]

STAGES = ["ingest", "index", "sequences", "negatives"]
SMALL = [
    *("synthetic.users=3000", "synthetic.themes=8", "synthetic.active_share=0.16", "synthetic.processes=1"),
    *("negatives.candidates=20", "sequences.shards=4", "spark.driver_memory=1g", "spark.master=local[2]"),
]
TABLES = [
    *("interactions", "items", "quarantine", "user_index", "item_index", "category_index", "brand_index"),
    *("kcore", "sequences", "sessions", "vocabulary", "training", "negatives"),
]
START = 3.0  # seconds before anything is written: Python and Java start
COMMAND = [sys.executable, "-c", "from sequoia.cli import cli; cli()", "run", "--to", "negatives"]


@dataclass(frozen=True, kw_only=True)
class World:
    """A workspace after the smaller input, and what an undisturbed run makes of the larger one."""

    older: Path
    raw: Path
    whole: dict[str, list[str]]
    seconds: float


def settings(workspace: Path, raw: Path) -> list[str]:
    return [*SMALL, f"workspace={workspace}", f"ingest.raw={raw}"]


def contents(workspace: Path, raw: Path) -> dict[str, list[str]]:
    tables = Context(load_config(overrides=settings(workspace, raw))).tables
    return {table: sorted(map(str, tables.read(table).collect())) for table in TABLES}


def killed(workspace: Path, raw: Path, after: float) -> bool:
    """Start the run and kill it and all of its processes; say whether it was still at work."""
    run = subprocess.Popen(
        [*COMMAND, *settings(workspace, raw)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable},
    )
    try:
        run.wait(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True
    assert run.returncode == 0
    return False


@pytest.fixture(scope="module")
def world(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("killed")
    raw, older = home / "raw", home / "older"
    write_corpus(raw, load_config(overrides=SMALL).synthetic)
    few = home / "few"
    few.mkdir()
    for file in raw.glob("*Garden*"):
        shutil.copy(file, few / file.name)
    run_stages(STAGES, load_config(overrides=settings(older, few)))
    undisturbed = home / "undisturbed"
    shutil.copytree(older, undisturbed)
    started = time.monotonic()
    assert not killed(undisturbed, raw, after=600)
    yield World(older=older, raw=raw, whole=contents(undisturbed, raw), seconds=time.monotonic() - started)
    shutil.rmtree(home)


def check(world: World, workspace: Path, share: float) -> None:
    """Kill a run after a share of its time, look at what is left, run again and compare."""
    shutil.copytree(world.older, workspace)
    killed(workspace, world.raw, after=START + share * max(world.seconds - START, 1))
    left = Context(load_config(overrides=settings(workspace, world.raw))).tables
    known = {row["item_id"] for row in left.read("vocabulary").collect()}
    taken = {item for row in left.read("sequences").collect() for item in row["items"]}
    assert taken == known, "sequences and vocabulary are of two runs"
    run_stages(STAGES, load_config(overrides=settings(workspace, world.raw)))
    found = contents(workspace, world.raw)
    assert {table: found[table] == rows for table, rows in world.whole.items()} == dict.fromkeys(TABLES, True)


@pytest.mark.parametrize("trial", range(5))
def test_killed_and_run_again_the_tables_are_those_of_an_undisturbed_run(
    world: World, tmp_path: Path, trial: int
) -> None:
    check(world, tmp_path / "workspace", (trial + random.Random(trial).random()) / 5)


@pytest.mark.long
@pytest.mark.parametrize("trial", range(20))
def test_killed_at_many_places(world: World, tmp_path: Path, trial: int) -> None:
    check(world, tmp_path / "workspace", (trial + random.Random(trial).random()) / 20)
