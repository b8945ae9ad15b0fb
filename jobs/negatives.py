"""Draw the candidate sets for sampled metrics.

Three ways to run it, with the same parameters:

    spark-submit --py-files dist/sequoia-*.zip jobs/negatives.py --config base.yaml negatives.candidates=200
    sequoia negatives --config base.yaml negatives.candidates=200
    databricks bundle run road --only negatives        (task `negatives` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("negatives")
