"""Fetch what Spark needs to open s3a:// into the project's cache, for `make test-remote`.

The jars stay out of Spark's own: 280 MB that nothing else needs. Their version is that of Spark's Hadoop.
"""

from __future__ import annotations

from pathlib import Path

from cache import cache_folder
from delta_jars import fetch, spark_home


def cache_name() -> str:
    """Return the name of the jars in the cache, after the Hadoop client among Spark's jars."""
    (client,) = (spark_home() / "jars").glob("hadoop-client-api-*.jar")
    return client.stem.replace("client-api", "aws")


def cached() -> list[Path]:
    """Return the jars, none when they were not fetched."""
    ivy = cache_folder() / f"ivy-{cache_name()}"
    return sorted((ivy / "jars").glob("*.jar")) if (ivy / "complete").exists() else []


if __name__ == "__main__":
    package, _, version = cache_name().rpartition("-")
    print("\n".join(map(str, fetch(cache_name(), f"org.apache.hadoop:{package}:{version}"))))
