"""Remove old runs, models, checkpoints, snapshots, scratch and table history; never raw data.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/clean.py --config base.yaml --dry-run
    sequoia clean --config base.yaml --dry-run
    databricks bundle run clean        (the job of conf/databricks/clean.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("clean")
