"""Ctrl-C and a polite kill end a command at once, with the diary written and the lock given back.

Spark's own handler of Ctrl-C asks Java to cancel on the connection on which the main thread waits for that
very job: both wait until it has ended by itself. Here another thread asks, for this process's jobs alone.
When Java is ended too, as by a kill of spark-submit, the lock is given back; the diary has no line where it
is Spark that writes it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

JOBS = f"sequoia-{os.getpid()}"  # the tag of this process's Spark jobs: others may share the cluster
PATIENCE = 10.0  # seconds for Spark to answer


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does; afterwards the process has its own handlers again.

    Only the main thread can have handlers. In another thread, as of a notebook, nothing is changed.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    # None stands for a handler that Python did not set and could not put back.
    if threading.current_thread() is not threading.main_thread() or None in before.values():
        yield
        return
    signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def spark_started() -> None:
    """Take Ctrl-C back from Spark, which sets its handler when it starts; outside of a command it stays."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is _stop:
        signal.signal(signal.SIGINT, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    asking = threading.Thread(target=_cancel_jobs, name="cancel", daemon=True)
    asking.start()
    asking.join(PATIENCE)
    raise KeyboardInterrupt(f"stopped by {signal.Signals(number).name}")


def _cancel_jobs() -> None:
    """Cancel what runs in Spark: the diary's line would wait for it."""
    if "pyspark" in sys.modules:
        from pyspark import SparkContext

        with suppress(Exception):
            if running := SparkContext._active_spark_context:
                running.cancelJobsWithTag(JOBS)
