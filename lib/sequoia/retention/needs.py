"""What MLflow must keep because something that stays needs it: a registered version or a model folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sequoia.retention.kept import Kept
from sequoia.retention.removal import Removal
from sequoia.storage import from_encoded, is_mounted, uri
from sequoia.tracking.connection import Connection
from sequoia.tracking.references import references
from sequoia.tracking.registry import TRAINING_RUN
from sequoia.tracking.searches import all_pages


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Runs and logged models by id, and places of files."""

    runs: frozenset[str]
    models: frozenset[str]
    places: frozenset[str]

    def include(self, run: Any, models: Iterable[Any]) -> bool:
        """Say whether a run, one of its logged models or a file of either is needed."""
        if run.info.run_id in self.runs or any(model.model_id in self.models for model in models):
            return True
        return any(_overlap(place, needed) for place in places(run, models) for needed in self.places)


def find_needs(connection: Connection, kept: Kept, without: list[Removal], runs: Iterable[str]) -> Needs:
    """Ask the registry what all of its versions point at, apart from those that go, whoever's they are.

    runs: what else is needed. Raises whatever the registry raises.
    """
    gone = {removal.name for removal in without}
    found = references(connection)
    staying = [version for version in found if version_name(version.name, version.number) not in gone]
    # These were asked for one by one: Unity Catalog tells no tags in a search.
    own = [version for version in kept.registered if version_name(version.name, version.number) not in gone]
    return Needs(
        runs=frozenset(runs).union(
            *(version.runs for version in staying), (version.tags.get(TRAINING_RUN, "") for version in own)
        ),
        models=frozenset(version.model for version in staying if version.model),
        places=frozenset(version.place for version in staying if version.place),
    )


def logged_models(connection: Connection, run: Any) -> list[Any]:
    """Return the logged models of a run; before MLflow 3 a model is among the files of its run."""
    client = connection.client
    if not hasattr(client, "search_logged_models"):
        return []
    experiments, wanted = [run.info.experiment_id], f"source_run_id = '{run.info.run_id}'"
    return list(all_pages(lambda token: client.search_logged_models(experiments, wanted, page_token=token)))


def places(run: Any, models: Iterable[Any]) -> Iterator[str]:
    """Yield where the files of a run and of its logged models lie."""
    yield run.info.artifact_uri
    yield from (model.artifact_location for model in models)


def version_name(name: str, number: str) -> str:
    """Return what a version is called where it is removed."""
    return f"{name} version {number}"


def _overlap(one: str, other: str) -> bool:
    one, other = f"{_path(one)}/", f"{_path(other)}/"
    return one.startswith(other) or other.startswith(one)


def _path(place: str) -> str:
    return (uri(from_encoded(place)) if is_mounted(place) else place).rstrip("/")
