"""The road where every path that reaches Spark without its scheme fails, and in a schema that needs quotes.

The session's default file system is a name node that nobody runs, as on a cluster whose default is not the
machine's; workspace and input have spaces, brackets and back-ticks in their names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.synthetic.corpus import write_corpus

ELSEWHERE = (
    "{spark.hadoop.fs.defaultFS: 'hdfs://127.0.0.1:9', spark.hadoop.ipc.client.connect.max.retries: '0'}"
)
SMALL = [
    *("synthetic.users=3000", "synthetic.themes=8", "synthetic.active_share=0.16"),
    *(
        "training.epochs=1",
        "training.validation_users=100",
        "training.launcher=single",
        "training.processes=1",
    ),
    *("models.sasrec.width=16", "models.sasrec.blocks=1", "evaluate.bootstrap_samples=100"),
    *("models.counting.window=[2]", "models.counting.last=[3]", "models.counting.decay=[0.7]"),
    *(
        "negatives.candidates=20",
        "recommend.sample_users=2",
        "spark.master=local[2]",
        "spark.driver_memory=2g",
    ),
]
SHORT_RUN = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m -XX:MetaspaceSize=512m"
PROBE = """
import sys
from sequoia.config import load_config
from sequoia.spark import spark_session
spark = spark_session(load_config(overrides=sys.argv[2:]).spark)
try:
    spark.read.text(sys.argv[1])
except Exception as error:
    print("refused:", error)
spark.sql("CREATE SCHEMA `2018` LOCATION 'file://" + sys.argv[1] + "'")
from sequoia.cli import cli
cli.main(["run", *sys.argv[2:]], standalone_mode=False)
print("tables:", sorted(row.tableName for row in spark.sql("SHOW TABLES IN `2018`").collect()))
"""


def walk(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROBE, str(folder / "catalog"), *arguments]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-5000:]
    return done


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.mlflow
@pytest.mark.slow
@pytest.mark.parametrize("namespace", [None, "spark_catalog.2018"])
def test_every_path_given_to_spark_has_its_scheme_and_every_name_its_quotes(
    tmp_path: Path, namespace: str | None
) -> None:
    raw, workspace = tmp_path / "raw `files` [2018]", tmp_path / "my `shop` + more"
    write_corpus(raw, load_config(overrides=SMALL).synthetic)
    conf = ELSEWHERE.replace("}", f", spark.driver.extraJavaOptions: '{SHORT_RUN}'}}")
    done = walk(
        tmp_path,
        *SMALL,
        f"workspace={workspace}",
        f"ingest.raw={raw}",
        f"spark.conf={conf}",
        f"tables.namespace={namespace or 'null'}",
    )
    assert "refused: " in done.stdout
    assert "Connection refused" in done.stdout
    summary = json.loads((workspace / "summary.json").read_text())
    assert summary["recommendations"]["users"] == summary["ingest"]["users"] > 1000
    tables = done.stdout.rpartition("tables:")[2]
    assert ("recommendations" in tables) == (namespace is not None)
    assert (workspace / "warehouse").exists() == (namespace is None)
