"""Give users, items, categories and brands dense ids that stay.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/index.py --config base.yaml workspace=/data/shop
    sequoia index --config base.yaml workspace=/data/shop
    databricks bundle run road --only index        (task `index` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("index")
