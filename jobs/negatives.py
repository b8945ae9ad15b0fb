r"""Draw the candidate sets for sampled metrics.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/negatives.py --config cluster.yaml negatives.candidates=200
    sequoia negatives negatives.candidates=200
    databricks bundle run road --only negatives        (task `negatives` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("negatives")
