"""Write summary.json and the HTML report.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/report.py --config base.yaml workspace=/data/shop
    sequoia report --config base.yaml workspace=/data/shop
    databricks bundle run road --only report        (task `report` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("report")
