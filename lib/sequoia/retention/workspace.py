"""Folders of the workspace that nothing needs any more. Raw data, tables and reports are not among them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from sequoia.modelling.trained import CHECKPOINTS, DONE
from sequoia.retention.kept import Kept
from sequoia.retention.removal import LEAVING, Removal, age_of, path_removal
from sequoia.road.stage import Context
from sequoia.storage import Location, locate, relative_to, uri
from sequoia.tracking.registered_folder import registered_cache

MARKED = re.compile(r"(?P<kind>.+)-(?P<mark>[0-9a-f]{16})")  # <kind>-<fingerprint>
EXPORT = re.compile(r"(?P<name>\w+?)(\.(?P<id>\w+))?-(?P<version>\d+)")  # <table>.<id>-<version>
# Files and folders are written under another name first and renamed when complete: what a killed run leaves
# under such a name is scratch. In the workspace itself, where users may keep files, only names of ours are.
HALF_WRITTEN = re.compile(rf".+\.(partial|tmp|unfinished)(\.old)?|\.inputs-.+|{re.escape(LEAVING)}.+")
OURS = re.compile(r"raw\.partial|\..+\.(partial|tmp)(\.old)?")
PLACES = {
    "*": OURS,
    "models/*": HALF_WRITTEN,
    "models/inputs/*": HALF_WRITTEN,
    "models/registered/*": HALF_WRITTEN,
    f"{CHECKPOINTS}/*": HALF_WRITTEN,
    f"{CHECKPOINTS}/*/*": HALF_WRITTEN,
    "snapshots/*": HALF_WRITTEN,
    "warehouse/*": HALF_WRITTEN,
}


def old_models(context: Context, kept: Kept, now: datetime) -> list[Removal]:
    """Return model folders that models/latest.json does not name and no kept version was made from."""
    return _old(context, "model folder", _marked(context, "models"), kept, now)


def old_checkpoints(context: Context, kept: Kept, now: datetime) -> list[Removal]:
    """Return the checkpoints of trainings whose model is not kept, but for the one to go on from."""
    source = context.config.training.resume_from
    marked = _marked(context, CHECKPOINTS)
    others = [entry for entry in marked if source is None or entry[0] != locate(source)]
    return _old(context, "checkpoints", others, kept, now)


def old_copies(context: Context, kept: Kept, now: datetime) -> list[Removal]:
    """Return local copies of registered versions that are not kept; a copy can be fetched again."""
    cache = registered_cache(context.config)
    copies = [folder for folder in _folders(cache) if not folder.name.endswith(".unfinished")]
    spare = [folder for folder in copies if folder.name.partition("-")[0] not in kept.versions]
    return _aged(context, "copy of a version", spare, now)


def old_snapshots(context: Context, now: datetime) -> list[Removal]:
    """Return the exports of table versions for training, the newest of each table apart."""
    exports: dict[str, dict[str, dict[int, Location]]] = defaultdict(lambda: defaultdict(dict))
    for folder in _folders(context.config.workspace_path / "snapshots"):
        if found := EXPORT.fullmatch(folder.name):
            exports[found["name"]][found["id"]][int(found["version"])] = folder
    spare: list[Location] = []
    for made in exports.values():
        # A table that was made anew counts its versions from 0 again.
        newest = min((of[max(of)] for of in made.values()), key=lambda folder: age_of(folder, now))
        spare += [folder for of in made.values() for folder in of.values() if folder != newest]
    return _aged(context, "snapshot", spare, now)


def scratch(context: Context, now: datetime) -> list[Removal]:
    """Return what killed runs left behind; what is younger than retention.scratch_hours may be in use."""
    workspace, days = context.config.workspace_path, context.config.retention.scratch_hours / 24
    found: list[Location] = []
    for place, pattern in PLACES.items():
        below: list[Location] = list(workspace.glob(place))
        found += sorted((path for path in below if pattern.fullmatch(path.name)), key=uri)
    return [path_removal("scratch", path, workspace, now) for path in found if age_of(path, now) > days]


def runs_of_models(context: Context, without: list[Removal]) -> set[str]:
    """Return the MLflow runs of the model folders that stay: those apart from the ones that go."""
    workspace = context.config.workspace_path
    gone = {removal.name for removal in without}
    staying = [
        folder for folder, _ in _marked(context, "models") if relative_to(folder, workspace) not in gone
    ]
    return {(folder / DONE).read_text(encoding="utf-8") for folder in staying if (folder / DONE).is_file()}


def _marked(context: Context, place: str) -> list[tuple[Location, str]]:
    found = (
        (folder, MARKED.fullmatch(folder.name)) for folder in _folders(context.config.workspace_path / place)
    )
    return [(folder, match["mark"]) for folder, match in found if match]


def _old(
    context: Context, kind: str, marked: list[tuple[Location, str]], kept: Kept, now: datetime
) -> list[Removal]:
    return _aged(context, kind, [folder for folder, mark in marked if mark not in kept.fingerprints], now)


def _aged(context: Context, kind: str, paths: list[Location], now: datetime) -> list[Removal]:
    workspace, days = context.config.workspace_path, context.config.retention.days
    return [path_removal(kind, path, workspace, now) for path in paths if age_of(path, now) > days]


def _folders(place: Location) -> Iterator[Location]:
    return (
        iter(sorted(path for path in place.iterdir() if path.is_dir() and path.name[0] != "."))
        if place.is_dir()
        else iter(())
    )
