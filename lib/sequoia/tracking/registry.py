"""The registry: versions of the registered model, their tags, and the alias that names the one in use."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sequoia.config import Config
from sequoia.errors import UserError
from sequoia.local_files import replacing
from sequoia.storage import Location
from sequoia.tracking.connection import Connection

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException

FINGERPRINT = "fingerprint"
KIND = "model"
PREVIOUS = "previous_champion"

# Which of the two a store answers for a missing alias or model differs (sqlite: INVALID_PARAMETER_VALUE).
MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered version with its tags."""

    name: str
    number: str
    tags: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """Return the hash of its settings and data; made up for a version registered by hand."""
        return self.tags.get(FINGERPRINT) or f"version-{self.number}"


def find_alias(connection: Connection, alias: str) -> Version | None:
    """Return the version the alias names now, or None when there is no such model or alias."""
    return _found(lambda: connection.client.get_model_version_by_alias(connection.registered_model, alias))


def find_version(connection: Connection, number: str) -> Version | None:
    """Return a version by its number, or None when it is gone."""
    return _found(lambda: connection.client.get_model_version(connection.registered_model, number))


def aliased_versions(connection: Connection) -> set[str]:
    """Return the numbers of all versions that any alias names, none when there is no such model."""
    client = connection.client
    from mlflow.exceptions import MlflowException

    try:
        model = client.get_registered_model(connection.registered_model)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return set()
        raise
    return {str(number) for number in (model.aliases or {}).values()}


def find_fingerprint(connection: Connection, fingerprint: str) -> Version | None:
    """Return the newest version of these settings and data, or None.

    Unity Catalog neither searches by tags nor returns them in a search, so each version is fetched.
    """
    found = connection.client.search_model_versions(f"name = '{connection.registered_model}'")
    versions = [find_version(connection, str(entry.version)) for entry in found]
    same = [version for version in versions if version and version.tags.get(FINGERPRINT) == fingerprint]
    return max(same, key=lambda version: int(version.number), default=None)


def required_alias(connection: Connection, alias: str) -> Version:
    """Return the version the alias names now; raises UserError when there is none."""
    found = find_alias(connection, alias)
    if found is None:
        raise UserError(
            f"alias {alias} of registered model {connection.registered_model} does not exist in "
            f"{connection.registry_uri}: run `sequoia promote` and read why it refused, or name another alias"
        )
    return found


def move_alias(connection: Connection, alias: str, version: Version) -> None:
    """Let the alias name this version."""
    connection.client.set_registered_model_alias(version.name, alias, version.number)


def set_tag(connection: Connection, version: Version, key: str, value: str) -> None:
    """Write or replace one tag of a version."""
    connection.client.set_model_version_tag(version.name, version.number, key, value)


def drop_tag(connection: Connection, version: Version, key: str) -> None:
    """Remove one tag of a version."""
    connection.client.delete_model_version_tag(version.name, version.number, key)


def register(connection: Connection, model_uri: str, tags: Mapping[str, str]) -> Version:
    """Make a new version of a logged model."""
    connection.client  # noqa: B018  (points mlflow's functions to the right addresses)
    import mlflow

    return _version(mlflow.register_model(model_uri, connection.registered_model, tags=dict(tags)))


def registered_cache(config: Config) -> Location:
    """Return the folder of the workspace with copies of registered models, where workers can read them."""
    return config.workspace_path / "models" / "registered"


def fetch_folder(connection: Connection, version: Version, cache: Location) -> Location:
    """Return the model folder of a version, copied below `cache` the first time."""
    target = cache / f"{version.number}-{version.fingerprint}"
    if not (target / "model.json").is_file():
        connection.client  # noqa: B018  (as above)
        from mlflow.artifacts import download_artifacts

        uri = f"models:/{version.name}/{version.number}"
        with TemporaryDirectory() as folder, replacing(target, last="model.json") as fresh:
            download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=connection.tracking_uri)
            shutil.move(_model_folder(Path(folder), uri), fresh)
    return target


def _model_folder(downloaded: Path, uri: str) -> Path:
    found = sorted(downloaded.glob("artifacts/*/model.json"))
    if not found:
        raise UserError(
            f"{uri} holds no model folder of sequoia: let the alias name a version made by `sequoia promote`"
        )
    return found[0].parent


def _found(get: Any) -> Version | None:
    from mlflow.exceptions import MlflowException

    try:
        return _version(get())
    except MlflowException as error:
        if _is_missing(error):
            return None
        raise


def _is_missing(error: MlflowException) -> bool:
    return error.error_code in MISSING


def _version(entry: Any) -> Version:
    return Version(name=entry.name, number=str(entry.version), tags=dict(entry.tags or {}))
