"""What a run says on standard error: lines for people, or a JSON object a line for machines; no secrets.

Everything goes through the logger `sequoia`; standard_error.py adds what others write. As text, `==> train`
begins a stage and four spaces its lines; as JSON a line has time (UTC), level, stage, run_id and message,
exception where there is one, and logger where another package or process wrote it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sequoia.secrets import redact

LOGGER = logging.getLogger("sequoia")
HEADING = {"heading": True}
FINAL = {"final": True}


@dataclass
class Now:
    """What this process is doing: the run and the stage that lines belong to."""

    run_id: str | None = None
    stage: str | None = None


NOW = Now()


class TextLines(logging.Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the trace of an exception below it."""
        message = redact(record.getMessage())
        if record.exc_info:
            message = f"{message}\n{redact(self.formatException(record.exc_info))}"
        if getattr(record, "heading", False):
            return f"==> {message}"
        if getattr(record, "final", False):
            return f"sequoia: {message}"
        mark = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return f"    {mark}{message}"


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object as text without line breaks."""
        values: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "stage": NOW.stage,
            "run_id": NOW.run_id,
            "message": redact(record.getMessage()),
        }
        if record.name != LOGGER.name:
            values["logger"] = record.name
        if record.exc_info:
            values["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(values, ensure_ascii=False)


class StandardError(logging.Handler):
    """Writes to what sys.stderr is at the time, so that a notebook or a test sees the lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        # What stands in for sys.stderr would take the line for one that somebody else prints.
        stream = getattr(sys.stderr, "beneath", sys.stderr)
        try:
            print(self.format(record), file=stream, flush=True)
        except Exception:
            self.handleError(record)


HANDLER = StandardError()
HANDLER.setFormatter(TextLines())


def start(form: str = "text", level: str = "info", *, run_id: str | None = None) -> None:
    """Let the logger `sequoia` write to standard error as text or json, from a level upwards."""
    HANDLER.setFormatter(JsonLines() if form == "json" else TextLines())
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
    if HANDLER not in LOGGER.handlers:
        LOGGER.addHandler(HANDLER)
    NOW.run_id = run_id


def is_json() -> bool:
    """Say whether lines are JSON objects."""
    return isinstance(HANDLER.formatter, JsonLines)


def capture_others() -> None:
    """Let warnings of other packages take the same way out; where the root logger is set up, leave it."""
    logging.captureWarnings(True)
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(HANDLER)


def hide_secrets_of(logger: str) -> None:
    """Redact what a package writes through handlers of its own."""
    for handler in logging.getLogger(logger).handlers:
        if _redacted not in handler.filters:
            handler.addFilter(_redacted)


@contextmanager
def lines_of(stage: str) -> Iterator[None]:
    """Begin a stage: its heading, then every line until the end belongs to it."""
    NOW.stage = stage
    LOGGER.info(stage, extra=HEADING)
    try:
        yield
    finally:
        NOW.stage = None


def _redacted(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), None
    return True
