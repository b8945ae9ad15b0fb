"""A trained model as a version in the registry: made once, found again afterwards."""

from __future__ import annotations

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sequoia.local_files import local_copy
from sequoia.modelling.trained import TrainedModel
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection
from sequoia.tracking.logged_model import log_model

EXAMPLE_ITEMS = 3


def registered_version(
    context: Context, connection: Connection, name: str, model: TrainedModel
) -> registry.Version:
    """Return the version of this model, registered now unless one with its fingerprint is there."""
    found = registry.find_fingerprint(connection, model.fingerprint)
    if found is not None:
        context.say(f"version {found.number} of {found.name} is this model already")
        return found
    context.say(f"registering {name} as {connection.registered_model}")
    uri = log_model(
        connection,
        model.mlflow_run_id,
        name,
        local_copy(model.folder),
        _example_items(model),
        hide_seen=context.config.recommend.hide_seen,
    )
    tags = {
        registry.FINGERPRINT: model.fingerprint,
        registry.KIND: name,
        registry.TRAINING_RUN: model.mlflow_run_id,
        "registered_by_run": context.run_id,
    }
    return registry.register(connection, uri, tags)


def _example_items(model: TrainedModel) -> list[str]:
    index = pq.read_table(local_copy(model.folder) / "items.parquet", columns=["item", "events"])
    best = pc.select_k_unstable(index, EXAMPLE_ITEMS, sort_keys=[("events", "descending")])
    return [str(item) for item in index["item"].take(best).to_pylist()]
