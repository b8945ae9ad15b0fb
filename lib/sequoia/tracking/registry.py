"""The registry: versions of the registered model, their tags, and the alias that names the one in use.

Every function raises UserError when the registry cannot be asked: that is never the same as "no champion".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sequoia.errors import UserError
from sequoia.secrets import redact
from sequoia.tracking.connection import Connection
from sequoia.tracking.registry_errors import asking, error_code
from sequoia.tracking.searches import entries

FINGERPRINT = "fingerprint"
KIND = "model"
PREVIOUS = "previous_champion"
TRAINING_RUN = "training_run"  # the MLflow run of its training
INTENT = "intent"  # the last one that meant to let the alias name this version

# Keys hold letters, digits and _ only, and values at most 1,000 characters: Unity Catalog takes no more.
TAG_VALUE = 1000

MISSING = "RESOURCE_DOES_NOT_EXIST"
MISSING_ALIAS = (MISSING, "INVALID_PARAMETER_VALUE")
EXISTS = ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered version with its tags; one that is not ready was never completely stored."""

    name: str
    number: str
    tags: dict[str, str]
    ready: bool = True

    @property
    def findable(self) -> bool:
        """Say whether it is complete and says what it is."""
        return self.ready and FINGERPRINT in self.tags

    @property
    def fingerprint(self) -> str:
        """Return the hash of its settings and data; made up for a version registered by hand."""
        return self.tags.get(FINGERPRINT) or f"version-{self.number}"


def find_alias(connection: Connection, alias: str) -> Version | None:
    """Return the version the alias names now, or None when the registry says that it names none."""
    name = connection.registered_model
    with asking(connection):
        try:
            return _version(connection.client.get_model_version_by_alias(name, alias))
        except Exception as error:
            if error_code(error) not in MISSING_ALIAS:
                raise
            model = _registered_model(connection)
            if model is not None and alias in model.aliases:
                raise
            return None


def find_version(connection: Connection, number: str) -> Version | None:
    """Return a version by its number, or None when it is gone."""
    with asking(connection):
        try:
            return _version(connection.client.get_model_version(connection.registered_model, number))
        except Exception as error:
            if error_code(error) != MISSING:
                raise
            return None


def aliased_versions(connection: Connection) -> set[str]:
    """Return the numbers of all versions that any alias names, none when there is no such model."""
    with asking(connection):
        model = _registered_model(connection)
    return {str(number) for number in (model.aliases or {}).values()} if model is not None else set()


def numbers(connection: Connection) -> Iterator[str]:
    """Yield the number of every version, complete or not; none when there is no such model."""
    return (str(entry.version) for entry in entries(connection, connection.registered_model))


def find_fingerprint(connection: Connection, fingerprint: str) -> Version | None:
    """Return the newest complete version of these settings and data, or None."""
    return by_fingerprint(connection).get(fingerprint)


def by_fingerprint(connection: Connection) -> dict[str, Version]:
    """Return the newest complete version of each fingerprint.

    Unity Catalog neither searches by tags nor returns them in a search, so each version is fetched.
    """
    found = (find_version(connection, number) for number in sorted(numbers(connection), key=int))
    return {version.tags[FINGERPRINT]: version for version in found if version and version.findable}


def required_alias(connection: Connection, alias: str) -> Version:
    """Return the version the alias names now; raises UserError when there is none."""
    found = find_alias(connection, alias)
    if found is None:
        raise UserError(
            f"alias {alias} of registered model {connection.registered_model} does not exist in "
            f"{redact(connection.registry_uri)}: run `sequoia promote` and read why it refused, or "
            "name another alias"
        )
    return found


def move_alias(connection: Connection, alias: str, version: Version) -> None:
    """Let the alias name this version."""
    with asking(connection):
        connection.client.set_registered_model_alias(version.name, alias, version.number)


def set_tag(connection: Connection, version: Version, key: str, value: str) -> None:
    """Write or replace one tag of a version, secrets hidden."""
    with asking(connection):
        connection.client.set_model_version_tag(version.name, version.number, key, redact(value)[:TAG_VALUE])


def drop_tag(connection: Connection, version: Version, key: str) -> None:
    """Remove one tag of a version that has it."""
    with asking(connection):
        connection.client.delete_model_version_tag(version.name, version.number, key)


def model_tags(connection: Connection) -> dict[str, str]:
    """Return the tags of the registered model; none when it does not exist."""
    with asking(connection):
        model = _registered_model(connection)
        return dict(model.tags or {}) if model is not None else {}


def set_model_tag(connection: Connection, key: str, value: str) -> None:
    """Write or replace one tag of the registered model, which is created when it does not exist."""
    name = connection.registered_model
    with asking(connection):
        if _registered_model(connection) is None:
            _create_registered_model(connection)
        try:
            connection.client.set_registered_model_tag(name, key, value)
        except Exception:
            # A database refuses one of two that insert a tag at one moment; a second time it is there.
            connection.client.set_registered_model_tag(name, key, value)


def drop_model_tag(connection: Connection, key: str) -> None:
    """Remove one tag of the registered model."""
    with asking(connection):
        connection.client.delete_registered_model_tag(connection.registered_model, key)


def register(connection: Connection, model_uri: str, tags: Mapping[str, str]) -> Version:
    """Make a new version of a logged model."""
    with asking(connection):
        connection.client  # noqa: B018  (points mlflow's functions to the right addresses)
        import mlflow

        return _version(mlflow.register_model(model_uri, connection.registered_model, tags=dict(tags)))


def copy_version(connection: Connection, source: Version) -> Version:
    """Make a new version of a version of another registered model; its tags come with it, its aliases not."""
    with asking(connection):
        uri = f"models:/{source.name}/{source.number}"
        return _version(connection.client.copy_model_version(uri, connection.registered_model))


def _registered_model(connection: Connection) -> Any:
    """Return MLflow's entry of the registered model, or None; other errors are raised as they come."""
    try:
        return connection.client.get_registered_model(connection.registered_model)
    except Exception as error:
        if error_code(error) != MISSING:
            raise
        return None


def _create_registered_model(connection: Connection) -> None:
    try:
        connection.client.create_registered_model(connection.registered_model)
    except Exception as error:
        if error_code(error) not in EXISTS:  # another run was faster
            raise


def _version(entry: Any) -> Version:
    ready = str(entry.status or "READY") == "READY"
    return Version(name=entry.name, number=str(entry.version), tags=dict(entry.tags or {}), ready=ready)
