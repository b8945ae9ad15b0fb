"""The MLflow runs of this workspace's own trainings.

Workspaces may share a server, an experiment and even run ids: a scheduler gives its date to all of them. So
two things must hold. The run was trained on this workspace's training table; on another machine one may have
the same path. And the diary of this workspace knows its run id, which is written there before a training
begins. A run for which only one of them holds stays: it may be another workspace's, or of a diary that was
moved away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sequoia.road.stage import Context
from sequoia.secrets import redact_values
from sequoia.tracking.connection import connect
from sequoia.tracking.searches import all_pages
from sequoia.training.runs import RUN_ID, TRAINING_TABLE

PAGE = 1000


def own_trainings(context: Context) -> dict[str, Any]:
    """Return MLflow's entry of each run that this workspace's train stage made, failed or not, by id."""
    known = _run_ids(context)
    table = redact_values(context.tables.identifier("training"))  # as the tag was written
    return {
        run.info.run_id: run
        for run in _runs(context)
        if run.data.tags.get(RUN_ID) in known and run.data.tags.get(TRAINING_TABLE) == table
    }


def _run_ids(context: Context) -> set[str]:
    if not context.tables.exists("runs"):
        return set()
    # One per run of the road, as the runs of MLflow that they are looked up for.
    return {row["run_id"] for row in context.tables.rows("runs", columns=["run_id"])}


def _runs(context: Context) -> Iterator[Any]:
    connection = connect(context.config)
    client, experiments = connection.client, [connection.experiment_id]
    return all_pages(
        lambda token: client.search_runs(
            experiments, "", max_results=PAGE, page_token=token, order_by=["start_time ASC"]
        )
    )
