"""What a stage is: a function from a context to counts."""

from __future__ import annotations

import shlex
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pyspark.sql import SparkSession

from sequoia import log
from sequoia.config import Config
from sequoia.road.lock import WorkspaceLock
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
    """What every stage gets: configuration, tables, and a place to say how far it is.

    The run's id is the one given, else the setting `run_id`, else a new one.
    """

    def __init__(self, config: Config, *, run_id: str | None = None) -> None:
        self.config = config
        self.run_id = run_id or config.run_id or uuid.uuid4().hex[:12]
        self.command = shlex.join(sys.argv)
        self.recorded = False
        log.start(config.logging.format, config.logging.level, run_id=self.run_id)

    @cached_property
    def spark(self) -> SparkSession:
        """Return the Spark session, started at first use."""
        return spark_session(self.config.spark)

    @cached_property
    def tables(self) -> Tables:
        """Return the tables of the configured warehouse."""
        folder = self.config.workspace_path / "warehouse"
        namespace = self.config.tables.namespace
        return Tables(lambda: self.spark, namespace=namespace, folder=folder, run_id=self.run_id)

    def locked(self) -> WorkspaceLock:
        """Return the workspace's lock; `with context.locked():` goes around everything that writes."""
        return WorkspaceLock(self.config.workspace_path, run_id=self.run_id, command=self.command)

    def say(self, message: str) -> None:
        """Show a line of progress."""
        log.LOGGER.info("%s", message)
