r"""Filter to the k-core, order, split, and write sequences, sessions and training rows.

Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/sequences.py --config cluster.yaml sequences.k=10
    sequoia sequences sequences.k=10
    databricks bundle run road --only sequences        (task `sequences` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("sequences")
