"""Independent Spark jobs at the same time: small ones wait for the driver more than for the cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pyspark import inheritable_thread_target


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run jobs in threads of their own and return their results in order; an error is raised after all."""
    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        running = [pool.submit(inheritable_thread_target(job)) for job in jobs]
    return [job.result() for job in running]
