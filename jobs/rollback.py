r"""Move the alias back to the champion before; the version left is not promoted again.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/rollback.py --config cluster.yaml --reason "sold out" --to 3
    sequoia rollback --reason "sold out" --to 3
    databricks bundle run rollback        (the job of conf/databricks/rollback.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("rollback")
