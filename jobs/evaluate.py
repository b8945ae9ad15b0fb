r"""Rank all items for every held-out event; metrics with intervals.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/evaluate.py --config cluster.yaml evaluate.confidence=0.99
    sequoia evaluate evaluate.confidence=0.99
    databricks bundle run road --only evaluate        (task `evaluate` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("evaluate")
