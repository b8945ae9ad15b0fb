"""The core stays light: rules, metrics, plan and configuration load none of the heavy packages."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("pyspark", "torch", "mlflow", "petastorm", "horovod", "pandas")
CORE = [
    "sequoia.config",
    "sequoia.readers.plan",
    "sequoia.tables.snapshot_file",
    "sequoia.evaluate.metrics",
    "sequoia.evaluate.ranking",
    "sequoia.evaluate.bootstrap",
    "sequoia.promote.rules",
    "sequoia.doctor",
]


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_without_the_heavy_packages(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
