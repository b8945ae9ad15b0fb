r"""Copy the version behind an alias to another registered model, as from dev to staging to prod.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/release.py --config cluster.yaml --from dev.sequoia.next_item --to prod.sequoia.next_item
    sequoia release --from dev.sequoia.next_item --to prod.sequoia.next_item
    databricks bundle run release -t prod --params from=shop-data.sequoia_staging.next_item
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("release")
