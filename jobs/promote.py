r"""Register the best model and move the alias if the gate passes.

Ends with exit code 3 when the gate refuses (setting promote.refused_exit_code), and changes nothing with
`--dry-run`. Three ways to run it, the first after `make dist`:

    spark-submit --packages io.delta:delta-spark_2.12:3.3.3 --py-files dist/sequoia-*.zip \
        jobs/promote.py --config cluster.yaml promote.difference=0.02
    sequoia promote promote.difference=0.02
    databricks bundle run road --only promote        (task `promote` of conf/databricks/road.yml)
"""

from __future__ import annotations

from sequoia.cli import job

if __name__ == "__main__":
    job("promote")
