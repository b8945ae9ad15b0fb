r"""Train the models on a pinned snapshot and log them to MLflow.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/train.py --config cluster.yaml training.epochs=30
    sequoia train training.epochs=30
    databricks bundle run road --only train        (task `train` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("train")
