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
PROBE = """
import json, sys
from sequoia.config import load_config
from sequoia.spark import spark_session
catalog, walks, settings = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
spark = spark_session(load_config(overrides=settings).spark)
try:
    spark.read.text(catalog)
except Exception as error:
    print("refused:", error)
spark.sql(f"CREATE SCHEMA `2018` LOCATION 'file://{catalog}'")
from sequoia.cli import cli
for workspace, namespace in walks.items():
    places = [f"workspace={workspace}", f"tables.namespace={namespace}"]
    cli.main(["run", *settings, *places], standalone_mode=False)
print("tables:", sorted(row.tableName for row in spark.sql("SHOW TABLES IN `2018`").collect()))
"""


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.mlflow
@pytest.mark.slow
def test_every_path_given_to_spark_has_its_scheme_and_every_name_its_quotes(tmp_path: Path) -> None:
    """Two walks in one process, one to tables in a folder and one to tables of a catalog."""
    raw = tmp_path / "raw `files` [2018]"
    workspaces = map(str, (tmp_path / "my `shop` + more", tmp_path / "in [a] catalog"))
    walks = dict(zip(workspaces, ("null", "spark_catalog.2018"), strict=True))
    write_corpus(raw, load_config(overrides=SMALL).synthetic)
    settings = [*SMALL, f"ingest.raw={raw}", f"spark.conf={ELSEWHERE}"]
    command = [sys.executable, "-c", PROBE, str(tmp_path / "catalog"), json.dumps(walks), *settings]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=2700
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert "refused: " in done.stdout
    assert "Connection refused" in done.stdout
    for workspace, namespace in walks.items():
        summary = json.loads(Path(workspace, "summary.json").read_text())
        assert summary["recommendations"]["users"] == summary["ingest"]["users"] > 1000
        assert Path(workspace, "warehouse").exists() == (namespace == "null")
    assert "recommendations" in done.stdout.rpartition("tables:")[2]
