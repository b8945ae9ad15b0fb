"""What the report reads may be gone by now: a table dropped, its history cut, its old files vacuumed.

The report says so at that place and goes on with what the diary still knows. Every other failure stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sequoia.road.stage import Context
from sequoia.tables.gone import reason_gone

T = TypeVar("T")


@dataclass
class Reader:
    """Reads what may be gone, and keeps what was."""

    gone: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, reading: Callable[[], T]) -> T | None:
        """Return what a reading gives; None when what it reads is gone, with a note of the reason."""
        try:
            return reading()
        except Exception as error:
            reason = reason_gone(error)
            if reason is None:
                raise
            self.gone[name] = reason
            return None

    def touch(self, context: Context, versions: Mapping[str, int | None]) -> None:
        """Try whether these versions of tables can still be read; None is a version that nobody knows."""
        for table, version in versions.items():
            if version is not None:
                self.read(table, partial(context.tables.check_files, table, version))
