r"""Write the top items of every user from the champion.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/recommend.py --config cluster.yaml recommend.k=20
    sequoia recommend recommend.k=20
    databricks bundle run road --only recommend        (task `recommend` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("recommend")
