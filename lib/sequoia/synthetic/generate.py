"""The generated corpus in <workspace>/raw: written once per settings, found by who asks for it by name."""

from __future__ import annotations

import hashlib

from sequoia.config import Config
from sequoia.errors import UserError
from sequoia.local_files import replacing
from sequoia.road.stage import Context
from sequoia.storage import Location

MARKER = ".settings"
VERSION = 2  # one more when the same settings give other lines


def generate(context: Context) -> str:
    """Write the corpus, unless it is there for these settings; return what was done."""
    from sequoia.synthetic.corpus import write_corpus

    folder = place(context.config)
    if is_written(context.config):
        return f"the corpus of these settings is in {folder} already"
    context.say("writing the generated corpus")
    with replacing(folder, last=MARKER) as fresh:
        written = write_corpus(folder=fresh, settings=context.config.synthetic)
        (fresh / MARKER).write_text(_settings_hash(context.config))
    lines = sum(file.lines for file in written.files)
    return f"{len(written.files)} files, {lines:,} lines in {folder}"


def corpus_folder(config: Config) -> Location:
    """Return the folder of the corpus; raises UserError when it is not there for these settings."""
    if not is_written(config):
        raise UserError(
            f"ingest.raw = generated, and {place(config)} has no corpus of these settings: run `sequoia "
            "generate` with the same configuration first, or name an input"
        )
    return place(config)


def is_written(config: Config) -> bool:
    """Say whether the corpus is there for these settings."""
    marker = place(config) / MARKER
    return marker.is_file() and marker.read_text() == _settings_hash(config)


def place(config: Config) -> Location:
    """Return where the corpus goes."""
    return config.workspace_path / "raw"


def _settings_hash(config: Config) -> str:
    return hashlib.sha256(f"{VERSION} {config.synthetic.model_dump_json()}".encode()).hexdigest()
