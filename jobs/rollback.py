"""Move the alias back to the champion before; the version left is not promoted again.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/rollback.py --config base.yaml --reason "sold out"
    sequoia rollback --config base.yaml --reason "sold out" --to 3
    databricks bundle run rollback        (the job of conf/databricks/rollback.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("rollback")
