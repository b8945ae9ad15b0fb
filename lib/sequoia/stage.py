"""What a stage is: a function from a context to counts, timed, checked, and written into the diary."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pyspark.sql import SparkSession

from sequoia.config import Config
from sequoia.spark import spark_session
from sequoia.tables.store import Tables


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """What went in, what came out, and what the stage has to say (JSON-like)."""

    rows_in: int
    rows_out: int
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A named step of the road."""

    name: str
    help: str
    run: Callable[[Context], StageResult]


class Context:
    """What every stage gets: configuration, tables, and a place to say how far it is."""

    def __init__(self, config: Config, *, run_id: str | None = None) -> None:
        self.config = config
        self.run_id = run_id or uuid.uuid4().hex[:12]

    @cached_property
    def spark(self) -> SparkSession:
        """Return the Spark session, started at first use."""
        return spark_session(self.config.spark)

    @cached_property
    def tables(self) -> Tables:
        """Return the tables of the configured warehouse."""
        folder = self.config.workspace_path / "warehouse"
        return Tables(self.spark, namespace=self.config.tables.namespace, folder=folder, run_id=self.run_id)

    def say(self, message: str) -> None:
        """Show a line of progress on standard error."""
        print(f"    {message}", file=sys.stderr, flush=True)


def run_stage(stage: Stage, context: Context) -> StageResult:
    """Run one stage, show its counts, and append it to the stage_runs table."""
    print(f"==> {stage.name}", file=sys.stderr, flush=True)
    context.tables.reads, context.tables.writes = {}, {}
    started = time.perf_counter()
    result = stage.run(context)
    seconds = time.perf_counter() - started
    reads, writes = dict(context.tables.reads), dict(context.tables.writes)
    _write_diary(stage.name, result, seconds, context, reads, writes)
    context.say(f"{stage.name}: {result.rows_in:,} rows in, {result.rows_out:,} rows out, {seconds:.1f} s")
    return result


def _write_diary(
    name: str,
    result: StageResult,
    seconds: float,
    context: Context,
    reads: dict[str, int],
    writes: dict[str, int],
) -> None:
    row = (
        context.run_id,
        name,
        datetime.now(UTC),
        seconds,
        result.rows_in,
        result.rows_out,
        json.dumps(result.details),
        reads,
        writes,
    )
    context.tables.append(
        "stage_runs", context.spark.createDataFrame([row], context.tables.schema("stage_runs"))
    )
