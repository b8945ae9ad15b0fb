"""What stays whatever its age: what serving, rollback, the next promotion or training may ask for."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from sequoia.errors import UserError
from sequoia.modelling.trained import LATEST, TrainedModel, read_trained
from sequoia.road.stage import Context
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.registry import (
    PREVIOUS,
    TRAINING_RUN,
    Version,
    aliased_versions,
    find_version,
    numbers,
)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Registered versions by number and fingerprints of models that stay; and all versions there are."""

    versions: frozenset[str]
    fingerprints: frozenset[str]
    registered: tuple[Version, ...]


def find_kept(context: Context, trainings: Container[str]) -> Kept:
    """Ask the registry, the audit of promotions, and models/latest.json.

    trainings: the MLflow runs of this workspace. Raises whatever the registry raises: without its answer
    nothing may be removed.
    """
    connection = connect(context.config)
    registered = _registered(connection)
    trained = _latest(context)
    marks = {model.fingerprint for model in trained}
    aliased = aliased_versions(connection)
    wanted = aliased | _past_champions(context, context.config.retention.champions)
    wanted |= _predecessors(registered, aliased)
    # What the next promotion will look for: another version of the same model would lose its tags.
    wanted |= {number for number, version in registered.items() if version.fingerprint in marks}
    wanted |= _of_others(context, registered, trainings)
    kept = [version for number, version in registered.items() if number in wanted]
    return Kept(
        versions=frozenset(version.number for version in kept),
        fingerprints=frozenset(marks | {version.fingerprint for version in kept}),
        registered=tuple(registered.values()),
    )


def _latest(context: Context) -> list[TrainedModel]:
    """Return the models of the last training; a damaged list refuses, as it cannot say what it names."""
    workspace = context.config.workspace_path
    try:
        return list(read_trained(workspace).values()) if (workspace / LATEST).is_file() else []
    except UserError as error:
        raise UserError(
            f"what the last training left behind cannot be told, so nothing is removed: {error}"
        ) from None


def _registered(connection: Connection) -> dict[str, Version]:
    versions = (find_version(connection, number) for number in numbers(connection))
    return {version.number: version for version in versions if version}


def _of_others(context: Context, registered: dict[str, Version], trainings: Container[str]) -> set[str]:
    """Return the versions that this workspace neither trained nor decided about: a model may be shared."""
    decided = {row["version"] for row in _audit(context)}
    return {
        number
        for number, version in registered.items()
        if number not in decided and version.tags.get(TRAINING_RUN) not in trainings
    }


def _past_champions(context: Context, number: int) -> set[str]:
    """Return the versions that the alias named last, the newest first of as many as asked for."""
    rows = sorted(_audit(context), key=lambda row: row["decided"], reverse=True)
    named = [row[place] for row in rows for place in ("champion_after", "champion_before")]
    return set([*dict.fromkeys(version for version in named if version)][:number])


def _audit(context: Context) -> list[dict[str, Any]]:
    """Return the decisions of this workspace about the registered model, none before the first one."""
    if not context.tables.exists("promotions"):
        return []
    return context.tables.rows(
        "promotions",
        columns=["decided", "version", "champion_before", "champion_after"],
        where={"registered_model": [context.config.tracking.registered_model]},
    )


def _predecessors(registered: dict[str, Version], wanted: Iterable[str]) -> set[str]:
    """Return the versions that a rollback from these would go to, one step each."""
    tags = (registered[number].tags.get(PREVIOUS) for number in wanted if number in registered)
    return {number for number in tags if number}
