"""The input when none is named: the corpus that the project generates, written once per its settings."""

from __future__ import annotations

import hashlib

from sequoia.local_files import replacing
from sequoia.road.stage import Context
from sequoia.storage import Location

MARKER = ".settings"


def generated_corpus(context: Context) -> Location:
    """Return the folder of the generated corpus, writing it when it is not there for these settings."""
    from sequoia.synthetic.corpus import write_corpus

    folder = context.config.workspace_path / "raw"
    settings = context.config.synthetic
    wanted = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()
    marker = folder / MARKER
    if marker.is_file() and marker.read_text() == wanted:
        return folder
    context.say("writing the generated corpus")
    with replacing(folder, last=MARKER) as fresh:
        write_corpus(folder=fresh, settings=settings)
        (fresh / MARKER).write_text(wanted)
    return folder
