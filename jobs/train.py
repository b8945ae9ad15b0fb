"""Train the models on a pinned snapshot and log them to MLflow.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/train.py --config base.yaml training.epochs=30
    sequoia train --config base.yaml training.epochs=30
    databricks bundle run road --only train        (task `train` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("train")
