"""What there is to read: files with their formats and fingerprints, and what the accounts know of them already."""

from __future__ import annotations

from dataclasses import dataclass

from sequoia.errors import UserError
from sequoia.ingest.accounts import Account
from sequoia.ingest.corpus import generated_corpus
from sequoia.ingest.event_tables import delta_parts
from sequoia.ingest.find import RawFile, find_files
from sequoia.ingest.fingerprint import fingerprints
from sequoia.ingest.recognise import recognise
from sequoia.ingest.settings import Format
from sequoia.stage import Context

TABLES = ("events", "products", "interactions", "items", "quarantine", "files")


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file to account for."""

    file: RawFile
    form: Format
    fingerprint: str


def find_inputs(context: Context) -> list[Input]:
    """List the input's files; those of a folder that are none of ours are named and passed over."""
    settings = context.config.ingest
    raw = settings.raw or str(generated_corpus(context))
    found = _opened(context, find_files(raw, settings.category))
    forms = {file.source: recognise(file, settings) for file in found}
    known = [file for file in found if forms[file.source]]
    if not known:
        names = ", ".join(file.source for file in found[:5])
        raise UserError(f"{raw} holds no file of a known format ({names}): set ingest.format, or name another input")
    for file in found:
        if not forms[file.source]:
            context.say(f"passing over {file.source}: neither reviews, ratings, metadata, events nor sequences")
    sums = fingerprints(known, settings)
    return [Input(file=file, form=form, fingerprint=sums[file.source]) for file in known if (form := forms[file.source])]


def known_accounts(context: Context) -> dict[str, Account]:
    """Return the accounts of the last ingest by source, none when a table of it is missing (one row per file)."""
    tables = context.tables
    if not all(tables.exists(table) for table in TABLES):
        return {}
    rows = tables.read("files").collect()
    return {row["source"]: Account(**row.asDict()) for row in rows}


def _opened(context: Context, found: list[RawFile]) -> list[RawFile]:
    opened: list[RawFile] = []
    for file in found:
        opened += delta_parts(context.spark, file) if file.kind == "delta" else [file]
    return opened
