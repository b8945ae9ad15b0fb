r"""Write summary.json and the HTML report.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/report.py --config cluster.yaml workspace=/data/shop
    sequoia report workspace=/data/shop
    databricks bundle run road --only report        (task `report` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("report")
