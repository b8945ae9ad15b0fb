"""What made a result: code, packages, settings, and who ran it. Stored with runs, models and decisions."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sequoia import __version__
from sequoia.secrets import redact_values

if TYPE_CHECKING:
    from sequoia.config import Config

# Those whose version can change a result.
PACKAGES = tuple(
    "delta-spark horovod mlflow mlflow-skinny numpy petastorm pyarrow pyspark scipy torch".split()
)
WITHOUT_EFFECT = ("run_id", "logging")
COMMIT = "commit.txt"  # written into wheels and packed code, which have no checkout around them


def code_version() -> str:
    """Return the version with the commit where it is known, such as 0.2.0+1a2b3c4d5e6f (.dirty: changed)."""
    return f"{__version__}+{commit()}" if commit() else __version__


@cache
def commit() -> str:
    """Return the commit of the code, with .dirty when its checkout was changed; empty where unknown."""
    return _packed_commit() or _checkout_commit()


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a result, as far as installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def actor() -> str:
    """Return who runs this: the user of the process; on Databricks, once Spark has started, Spark's."""
    try:
        return _databricks_user() or getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        return "unknown"


def _databricks_user() -> str:
    """Ask Spark for the user or service principal of a job, whose process is root's; empty elsewhere."""
    if "DATABRICKS_RUNTIME_VERSION" not in os.environ:
        return ""
    try:
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        [row] = session.sql("SELECT current_user()").collect() if session else [("",)]
        return str(row[0] or "")
    except Exception:  # who did it is worth a line of the audit, not the work
        return ""


def effective_settings(config: Config) -> dict[str, Any]:
    """Return every setting of a run as JSON-like values, secrets hidden."""
    values: dict[str, Any] = redact_values(config.model_dump(mode="json"))
    return values


def settings_hash(config: Config) -> str:
    """Return a hash of the effective settings: 16 hexadecimal digits.

    Without those that name a run or say how it speaks: the same work has the same hash.
    """
    settings = {key: value for key, value in effective_settings(config).items() if key not in WITHOUT_EFFECT}
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _packed_commit() -> str:
    file = files("sequoia").joinpath(COMMIT)
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def _checkout_commit() -> str:
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=.dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
