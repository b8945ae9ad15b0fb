"""Move the alias back to the version it named before the last promotion.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/rollback.py --config base.yaml promote.alias=champion
    sequoia rollback --config base.yaml promote.alias=champion
    databricks bundle run rollback        (the job of conf/databricks/rollback.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("rollback")
