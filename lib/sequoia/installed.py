"""What is installed here, what sequoia's wheel asks for, and who brings what is missing.

It needs the standard library alone, as the doctor does. The ranges are those of the wheel's metadata, which
setup.py takes from requirements.txt; where sequoia runs from a zip there are none, and any version will do.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from sequoia import __version__

DISTRIBUTION = "sequoia-recsys"
RUNTIME = "15.4"  # of Databricks, LTS ML: the last one with Horovod and Python 3.11
CHECKOUT = Path(__file__).parents[2] / "conf" / "setup" / "setup.sh"


def installed(package: str) -> str | None:
    """Return an installed package's version without loading it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def asked_for() -> dict[str, str]:
    """Return the packages that the wheel asks for wherever it is installed, with ranges such as <3,>=2."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    # Those behind a semicolon belong to an extra.
    found = [re.match(r"([\w.-]+)\s*(.*)", line) for line in lines if ";" not in line]
    return {match[1].lower(): match[2] for match in found if match is not None}


def allows(versions: str, found: str) -> bool:
    """Say whether a range holds a version; without the package that reads ranges, it does."""
    try:
        from packaging.specifiers import SpecifierSet
    except ModuleNotFoundError:
        return True
    return SpecifierSet(versions).contains(found, prereleases=True)


def runtime() -> str | None:
    """Return the Databricks Runtime that this process runs on, such as 15.4, or None."""
    return os.environ.get("DATABRICKS_RUNTIME_VERSION")


def how_to_get_platform() -> str:
    """Return what brings Spark, torch and the like: packages that have to fit together."""
    if runtime() is not None:
        return f"start the cluster with Databricks Runtime {RUNTIME} LTS ML, which has it"
    return _how_to_get("[local]")


def how_to_get_packages() -> str:
    """Return what brings the packages that the wheel asks for."""
    return "install the wheel as a library of the job" if runtime() is not None else _how_to_get("")


def _how_to_get(extra: str) -> str:
    if CHECKOUT.is_file():
        return "run `make setup`"
    return f'run `pip install "<folder>/sequoia_recsys-{__version__}-py3-none-any.whl{extra}"`'
