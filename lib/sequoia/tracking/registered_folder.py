"""The model folder of a registered version, copied into the workspace once, where all workers read it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from sequoia.config import Config
from sequoia.errors import UserError
from sequoia.local_files import replacing
from sequoia.storage import Location
from sequoia.tracking.connection import Connection
from sequoia.tracking.registry import Version
from sequoia.tracking.registry_errors import asking


def registered_cache(config: Config) -> Location:
    """Return the folder of the workspace with copies of registered models, where workers can read them."""
    return config.workspace_path / "models" / "registered"


def fetch_folder(connection: Connection, version: Version, cache: Location) -> Location:
    """Return the model folder of a version, copied below `cache` the first time."""
    target = cache / _folder_name(version)
    if not (target / "model.json").is_file():
        uri = f"models:/{version.name}/{version.number}"
        with TemporaryDirectory() as folder, replacing(target, last="model.json") as fresh:
            with asking(connection):
                connection.client  # noqa: B018  (as above)
                from mlflow.artifacts import download_artifacts

                download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=connection.tracking_uri)
            shutil.move(_model_folder(Path(folder), uri), fresh)
    return target


def _folder_name(version: Version) -> str:
    """Return what a version is called on disk; raises UserError where its tag would lead elsewhere."""
    for part in (version.number, version.fingerprint):
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", part) or not part.strip("."):
            raise UserError(
                f"version {version.number!r} of {version.name} has fingerprint {part!r}, which is no folder "
                "name (letters, digits, . _ -, at most 100): mend its tag, or let the alias name another one"
            )
    return f"{version.number}-{version.fingerprint}"


def _model_folder(downloaded: Path, uri: str) -> Path:
    found = sorted(downloaded.glob("artifacts/*/model.json"))
    if not found:
        raise UserError(
            f"{uri} holds no model folder of sequoia: let the alias name a version made by `sequoia promote`"
        )
    return found[0].parent
