r"""Remove old runs, models, checkpoints, snapshots, scratch and table history; never raw data.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/clean.py --config cluster.yaml --dry-run
    sequoia clean --dry-run
    databricks bundle run clean -t prod --params dry_run=true        (the job of conf/databricks/clean.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("clean")
