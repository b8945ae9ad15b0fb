r"""Read raw files into interactions and items; account for every line.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/ingest.py --config cluster.yaml ingest.raw=/data/reviews
    sequoia ingest ingest.raw=/data/reviews
    databricks bundle run road --only ingest        (task `ingest` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("ingest")
