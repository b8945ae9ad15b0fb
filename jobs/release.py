"""Copy the version behind an alias to another registered model, as from dev to staging to prod.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/release.py --config base.yaml --to prod.sequoia.next_item
    sequoia release --config base.yaml --from dev.sequoia.next_item --to prod.sequoia.next_item
    databricks bundle run release        (the job of conf/databricks/release.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("release")
