"""The Spark session: made here for a local run, taken as it is under spark-submit and on Databricks."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pyspark import SparkConf, SparkContext, inheritable_thread_target
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from sequoia import interrupt, log, standard_error
from sequoia.buckets.shuffle import call_tasks
from sequoia.config import SparkSettings
from sequoia.errors import UserError

Result = TypeVar("Result")

WORKERS = 8  # started at once; others when there is work for them

# What brings Delta's jars to a Spark without them: delta-spark in the version of requirements.txt.
DELTA_PACKAGE = "io.delta:delta-spark_2.12:3.3.3"

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}

# Where the set-up leaves Java's archive of the classes that Spark and Delta load at every start.
CLASS_ARCHIVE = Path(sys.prefix) / ".sequoia" / "spark.jsa"

LOCAL = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    # Fifty tasks to read a log of a few files is Delta's default, meant for clusters.
    "spark.databricks.delta.snapshotPartitions": "2",
    # So many tasks list a folder for VACUUM; 10,000, the default, take half a minute for ten files.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
    # Spares the full collections of a Metaspace that starts at 21 MB.
    "spark.driver.extraJavaOptions": "-XX:MetaspaceSize=512m -XX:+UseParallelGC",
}

# What Spark itself hides in its pages and event logs; its own pattern leaves out Azure's keys.
SECRETS = r"(?i)secret|passw|token|credential|(access|account|api|private)[._-]?key|\.sas\."

ALWAYS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    # Dynamic overwrite would turn "replace the table" into "replace the partitions seen".
    "spark.sql.sources.partitionOverwriteMode": "static",
}


def spark_session(settings: SparkSettings) -> SparkSession:
    """Return the active session, or start one with Delta.

    Settings of a launcher (spark-submit, Databricks) win over ours. Raises UserError without Delta's jars.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = SparkSession.getActiveSession() or _start(settings)
    for key, value in ALWAYS.items():
        session.conf.set(key, value)
    session.sparkContext.addJobTag(interrupt.JOBS)
    interrupt.spark_started()
    return session


def session_options(settings: SparkSettings, launched: Mapping[str, str]) -> dict[str, str]:
    """Return what to start a session with, given what its launcher has set already."""
    ours = {
        "spark.master": settings.master,
        "spark.driver.memory": settings.driver_memory,
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.redaction.regex": SECRETS,
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
    }
    # Executors on other machines could not call back to an address of this machine alone.
    is_local = launched.get("spark.master", settings.master).startswith("local")
    local = {**_mapped_classes(), **LOCAL} if is_local else {}
    wanted = {**local, **ours, **DELTA, **settings.conf}
    return {key: value for key, value in wanted.items() if value and key not in launched}


def _mapped_classes() -> dict[str, str]:
    """Return what halves the start of Java; silent, as it would tell standard output of what does not fit."""
    if not CLASS_ARCHIVE.is_file():
        return {}
    return {"spark.driver.defaultJavaOptions": f'"-XX:SharedArchiveFile={CLASS_ARCHIVE}" -Xlog:disable'}


def _start(settings: SparkSettings) -> SparkSession:
    options = session_options(settings, _launched())
    if log.is_json():
        _start_jvm(options)
    builder = SparkSession.builder.appName("sequoia")
    for key, value in options.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    # What fails arrives as an exception with its message; the trace of the Java side would bury it.
    session.sparkContext.setLogLevel("FATAL")
    _check_delta(session)
    if options.get("spark.master", "").startswith("local"):
        threading.Thread(target=_start_workers, args=(session,), daemon=True).start()
    return session


def _start_workers(session: SparkSession) -> None:
    """Start the Python processes that do the tasks, which takes a second, while the driver looks for work."""
    with suppress(Exception):  # the session may end before they are there
        call_tasks(session, [_import] * min(session.sparkContext.defaultParallelism, WORKERS))


def _import() -> None:
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401


def _start_jvm(options: Mapping[str, str]) -> None:
    """Start the JVM so that its lines, and its Python workers', are passed on; leave one that runs."""
    if SparkContext._gateway is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        with standard_error.of_process("jvm") as descriptor:
            conf = SparkConf().setAll([*options.items()])
            gateway = launch_gateway(conf, {"stderr": descriptor})  # type: ignore[no-untyped-call]
        SparkContext._ensure_initialized(gateway=gateway)


def _launched() -> dict[str, str]:
    """Return what spark-submit was told; only its Java side knows, so the connection comes first."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return {}
    SparkContext._ensure_initialized()
    return dict(SparkConf().getAll())


def _check_delta(session: SparkSession) -> None:
    # Jars of --packages and spark.jars are known to the thread's own loader, which Class.forName passes over.
    thread = session._jvm.java.lang.Thread.currentThread()  # type: ignore[union-attr]
    try:
        thread.getContextClassLoader().loadClass(DELTA["spark.sql.catalog.spark_catalog"])
    except Exception as error:
        raise UserError(
            "Spark finds no Delta jars: run `make setup`, or submit with `spark-submit --packages "
            f"{DELTA_PACKAGE}`"
        ) from error


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
