"""Read raw files into interactions and items; account for every line.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/ingest.py --config base.yaml ingest.raw=/data/reviews
    sequoia ingest --config base.yaml ingest.raw=/data/reviews
    databricks bundle run road --only ingest        (task `ingest` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("ingest")
