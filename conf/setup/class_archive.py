"""Archive the classes that Spark and Delta load: later starts map them instead of reading and checking them.

    python conf/setup/class_archive.py

Java's AppCDS. An archive that does not fit, as after a change of Java, is passed over by Java itself.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from sequoia.config import load_config
from sequoia.spark import CLASS_ARCHIVE, LOCAL, spark_session


def main() -> None:
    """Do a little of what the road does, and have Java write the archive when it ends."""
    for foreign in ("SPARK_HOME", "SPARK_CONF_DIR"):  # the archive is of this environment's jars
        os.environ.pop(foreign, None)
    CLASS_ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
    CLASS_ARCHIVE.unlink(missing_ok=True)
    fresh = CLASS_ARCHIVE.with_suffix(".fresh")
    LOCAL["spark.driver.defaultJavaOptions"] = f'"-XX:ArchiveClassesAtExit={fresh}" -Xlog:disable'
    session = spark_session(load_config(overrides=["spark.master=local[2]"]).spark)
    with tempfile.TemporaryDirectory() as folder:
        work(session, Path(folder))
    gateway = SparkContext._gateway
    assert gateway is not None
    session.stop()
    # The process ends, and writes, when nothing holds its input open.
    gateway.proc.stdin.close()
    gateway.proc.wait()
    fresh.rename(CLASS_ARCHIVE)


def work(session: SparkSession, folder: Path) -> None:
    """Run tasks of RDDs and queries, and write and read a Delta table."""
    assert session.sparkContext.parallelize([1, 2], 2).map(str).count() == 2
    table = f"delta.`file://{folder / 'table'}`"
    session.sql(f"CREATE TABLE {table} (id BIGINT NOT NULL, name STRING, part STRING) USING DELTA")
    session.sql(f"ALTER TABLE {table} ADD CONSTRAINT positive CHECK (id >= 0)")
    rows = session.range(100).selectExpr("id", "CAST(id % 7 AS STRING) AS name", "'a' AS part")
    for mode in ("append", "overwrite"):
        rows.write.format("delta").mode(mode).save(str(folder / "table"))
    read = session.sql(f"SELECT * FROM {table} VERSION AS OF 3")
    joined = read.join(read.groupBy("name").count(), "name").orderBy("id")
    read.mapInArrow(lambda batches: batches, read.schema).write.parquet(str(folder / "parquet"))
    session.sql(f"DESCRIBE HISTORY {table}").collect()
    session.sql(f"DESCRIBE DETAIL {table}").collect()
    assert len(joined.collect()) == 100


if __name__ == "__main__":
    main()
