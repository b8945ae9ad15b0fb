"""Standard error of a command: what others write there takes the way out of the run's own lines.

As text it passes as it is. Where lines are JSON, each becomes an object of the logger `stderr` (what packages
print) or of the process that wrote it, whatever level is logged: as text it would have been seen, too.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock, Thread
from typing import Any, TextIO, cast

from sequoia import log

# As Spark's own log4j settings write a line, and what Python calls its level.
LOG4J = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (TRACE|DEBUG|INFO|WARN|ERROR|FATAL) ")
LEVELS = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}


class Printed:
    """Stands in for sys.stderr, and is the stream beneath in all but what lines look like."""

    def __init__(self, beneath: TextIO) -> None:
        self.beneath = beneath
        self.unfinished = ""
        self.lock = RLock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)

    def write(self, text: str) -> int:
        """Write text, or the lines that it completes."""
        if not log.is_json():
            return self.beneath.write(text)
        with self.lock:
            # Of bytes the sum is a TypeError, by which click knows a stream of text.
            *lines, self.unfinished = (self.unfinished + text).split("\n")
        for line in lines:
            pass_on(line, "stderr")
        return len(text)

    def isatty(self) -> bool:
        """Say whether a person looks at it; nobody draws bars into JSON."""
        return not log.is_json() and self.beneath.isatty()

    def end(self) -> None:
        """Pass on what no line break ended."""
        line, self.unfinished = self.unfinished, ""
        pass_on(line, "stderr")


@contextmanager
def taken_over() -> Iterator[None]:
    """Let what any package prints on standard error take the way of the run's lines."""
    beneath = sys.stderr
    printed = Printed(beneath)
    sys.stderr = cast(TextIO, printed)
    try:
        yield
    finally:
        sys.stderr = beneath
        printed.end()


@contextmanager
def of_process(name: str) -> Iterator[int]:
    """Yield a descriptor, the standard error of a process to be started; its lines are passed on."""
    reading, writing = os.pipe()
    Thread(target=_read, args=(reading, name), daemon=True).start()
    try:
        yield writing
    finally:
        os.close(writing)  # the process has its own


def pass_on(line: str, writer: str) -> None:
    """Write a line of somebody else, unless it is empty."""
    if line.strip():
        found = LOG4J.match(line)
        level = LEVELS.get(found[1], logging.INFO) if found else logging.INFO
        log.HANDLER.handle(log.LOGGER.makeRecord(writer, level, "", 0, "%s", (line.rstrip(),), None))


def _read(descriptor: int, writer: str) -> None:
    with open(descriptor, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            pass_on(line, writer)
