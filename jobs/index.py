r"""Give users, items, categories and brands dense ids that stay.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/index.py --config cluster.yaml workspace=/data/shop
    sequoia index workspace=/data/shop
    databricks bundle run road --only index        (task `index` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("index")
