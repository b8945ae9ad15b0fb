"""Which model a training starts from: the champion, a model folder, or none."""

from __future__ import annotations

from sequoia.local_files import local_copy
from sequoia.modelling.folder import read_about
from sequoia.modelling.registry import fits_itself
from sequoia.road.stage import Context
from sequoia.storage import Location, locate
from sequoia.tracking.connection import connect
from sequoia.tracking.registered_folder import fetch_folder, registered_cache
from sequoia.tracking.registry import find_alias

CHAMPION = "champion"


def earlier_model(context: Context, kind: str) -> Location | None:
    """Return the folder of the model to start from, None for a start from nothing."""
    wanted, config = context.config.training.warm_start, context.config
    if wanted is None or fits_itself(kind):
        return None
    if wanted != CHAMPION:
        return locate(wanted)
    connection = connect(config)
    version = find_alias(connection, config.promote.alias)
    if version is None:
        context.say(f"{kind} starts from nothing: there is no champion yet")
        return None
    folder = fetch_folder(connection, version, registered_cache(config))
    if read_about(local_copy(folder))["kind"] != kind:
        context.say(f"{kind} starts from nothing: the champion is another model")
        return None
    return folder
