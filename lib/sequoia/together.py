"""Independent Spark jobs at the same time: small ones wait for the driver more than for the cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

Result = TypeVar("Result")


def together(*jobs: Callable[[], Any], at_once: int | None = None) -> list[Any]:
    """Run jobs in threads of their own, all or so many at once, and return their results in order.

    An error is raised when all have ended.
    """
    with ThreadPoolExecutor(max_workers=at_once or len(jobs)) as pool:
        running = [pool.submit(in_session(job)) for job in jobs]
    return [job.result() for job in running]


def in_session(job: Callable[[], Result]) -> Callable[[], Result]:
    """Return the job for a new thread, which then works in the session of this one.

    Spark takes its catalogs from the thread's active session. A new thread has none: there spark_catalog is
    not Delta's, and a table of a schema cannot be appended to.
    """
    session = SparkSession.getActiveSession()

    def run() -> Result:
        if session is not None:
            session._jvm.SparkSession.setActiveSession(session._jsparkSession)  # type: ignore[union-attr]
        return job()

    return inheritable_thread_target(run)
