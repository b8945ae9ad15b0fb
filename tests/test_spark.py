"""Whose settings a Spark session starts with."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from sequoia.config import load_config
from sequoia.spark import DELTA, LOCAL, session_options

SETTINGS = load_config(
    overrides=["spark.master=local[2]", "spark.conf={spark.sql.ansi.enabled: 'true'}"]
).spark


def test_without_a_launcher_all_settings_are_ours() -> None:
    options = session_options(SETTINGS, {})
    assert options["spark.master"] == "local[2]"
    assert options["spark.sql.ansi.enabled"] == "true"
    assert re.search(options["spark.redaction.regex"], "fs.azure.account.key.me.dfs.core.windows.net")
    assert LOCAL.items() <= options.items()
    assert DELTA.items() <= options.items()


def test_an_archive_of_classes_that_does_not_fit_costs_nothing_but_time(tmp_path: Path) -> None:
    """In a process of its own, as a JVM reads its options once."""
    (tmp_path / "spark.jsa").write_bytes(b"no archive")
    script = (
        "from pathlib import Path; from sequoia import spark; from sequoia.config import load_config; "
        f"spark.CLASS_ARCHIVE = Path({str(tmp_path / 'spark.jsa')!r}); "
        "settings = load_config(overrides=['spark.master=local[1]']).spark; "
        "print(spark.session_options(settings, {})['spark.driver.defaultJavaOptions']); "
        "print(spark.spark_session(settings).range(3).count())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f'"-XX:SharedArchiveFile={tmp_path}/spark.jsa" -Xlog:disable', "3"]


def test_a_launcher_s_own_settings_are_left_alone() -> None:
    launched = {"spark.master": "local[7]", "spark.sql.shuffle.partitions": "99", "spark.ui.enabled": "true"}
    options = session_options(SETTINGS, launched)
    assert options.keys() & launched.keys() == set()
    assert options["spark.driver.host"] == "127.0.0.1"


def test_on_a_cluster_the_driver_keeps_an_address_that_executors_can_reach() -> None:
    options = session_options(SETTINGS, {"spark.master": "yarn"})
    assert options.keys() & LOCAL.keys() == set()
    assert DELTA.items() <= options.items()
