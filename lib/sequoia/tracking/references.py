"""What the versions of a registry point at, of whichever registered model they are.

MLflow's own registry holds no files. A version names a run, a logged model and a place, and its copy in
another registered model, as `sequoia release` makes one, names the same: they are needed for as long as
either is there. Unity Catalog copies the files into storage of its own; there a version only names its run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sequoia.tracking.connection import Connection
from sequoia.tracking.registry import TRAINING_RUN
from sequoia.tracking.registry_errors import asking
from sequoia.tracking.searches import entries, registered_models

KEEPS_FILES = ("databricks-uc", "uc:")  # registries of Unity Catalog, by the beginning of their address


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A version of some registered model: the runs it names, its logged model, and where its files lie."""

    name: str
    number: str
    runs: frozenset[str]
    model: str | None
    place: str | None


def references(connection: Connection) -> Iterator[Reference]:
    """Yield every version that the registry shows to this user, complete or not.

    Raises UserError when one of the answers does not come.
    """
    for name in registered_models(connection):
        for entry in entries(connection, name):
            yield reference(connection, entry)


def reference(connection: Connection, entry: Any) -> Reference:
    """Return what a version points at, by MLflow's answer to a search."""
    # Instead of tags Unity Catalog's answers have a method that raises; the run is told without them.
    tags = entry.tags if isinstance(entry.tags, dict) else {}
    runs = {entry.run_id, tags.get(TRAINING_RUN)} - {None, ""}
    return Reference(
        name=entry.name,
        number=str(entry.version),
        runs=frozenset(str(run) for run in runs),
        model=getattr(entry, "model_id", None) or None,  # came with MLflow 3
        place=_place(connection, entry),
    )


def _place(connection: Connection, entry: Any) -> str | None:
    if connection.registry_uri.startswith(KEEPS_FILES):
        return None
    with asking(connection):
        # The source of a copy is the version it was made from, which may be gone; the registry knows more.
        return str(connection.client.get_model_version_download_uri(entry.name, entry.version))
