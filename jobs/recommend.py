"""Write the top items of every user from the champion.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/recommend.py --config base.yaml recommend.k=20
    sequoia recommend --config base.yaml recommend.k=20
    databricks bundle run road --only recommend        (task `recommend` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("recommend")
