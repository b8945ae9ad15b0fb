r"""Run all stages in order in one Spark session and show the summary.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/run.py --config cluster.yaml ingest.raw=/data/reviews
    sequoia run ingest.raw=/data/reviews
    databricks bundle run road        (on Databricks each stage is a task of its own)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("run")
