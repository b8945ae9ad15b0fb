"""Put Delta's jars beside Spark's own in this environment, so that no later start needs the network.

Ivy resolves them once into the project's cache; afterwards spark-submit and Python sessions find them.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from cache import cache_folder

SCALA = "2.12"


def spark_home() -> Path:
    """Find the Spark that pip installed, whatever SPARK_HOME says."""
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise SystemExit("pyspark is not installed in this environment: run `make setup` first.")
    return Path(found.origin).parent


def resolve(coordinates: str, ivy: Path) -> None:
    """Let Spark's own Ivy fetch the jars: spark-submit resolves packages before it runs an empty program."""
    environment = {
        key: value for key, value in os.environ.items() if key not in {"SPARK_HOME", "SPARK_CONF_DIR"}
    }
    environment["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch) / "empty.py"
        empty.touch()
        submit = [str(spark_home() / "bin" / "spark-submit"), "--master", "local[1]"]
        options = ["--packages", coordinates, "--conf", f"spark.jars.ivy={ivy}"]
        subprocess.run([*submit, *options, str(empty)], env=environment, check=True)


def jar_name(retrieved: str) -> str:
    """Drop the organization that Ivy puts before a jar's own name.

    >>> jar_name("io.delta_delta-spark_2.12-3.3.3.jar")
    'delta-spark_2.12-3.3.3.jar'
    """
    return re.sub(r"^(io\.delta|org\.antlr)_", "", retrieved)


def fetch(name: str, coordinates: str) -> list[Path]:
    """Return the jars of Maven coordinates, resolved into the cache under this name unless they are there."""
    ivy = cache_folder() / f"ivy-{name}"
    complete = ivy / "complete"
    if not complete.exists():
        resolve(coordinates, ivy)
        complete.touch()
    return sorted((ivy / "jars").glob("*.jar"))


def main() -> None:
    """Copy what Spark does not ship; jars of another Delta version would shadow these and go."""
    jars, delta = spark_home() / "jars", version("delta-spark")
    fetched = fetch(f"delta-{delta}", f"io.delta:delta-spark_{SCALA}:{delta}")
    targets = {jars / jar_name(jar.name): jar for jar in fetched}
    for old in jars.glob("delta-*.jar"):
        if old not in targets:
            old.unlink()
    for target, jar in targets.items():
        if not target.exists() or target.stat().st_size != jar.stat().st_size:
            shutil.copyfile(jar, target)
            print(f"copied {target.name}")


if __name__ == "__main__":
    main()
