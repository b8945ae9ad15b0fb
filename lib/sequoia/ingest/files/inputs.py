"""What there is to read: files with formats and fingerprints, and what the accounts know of them already."""

from __future__ import annotations

from dataclasses import dataclass

from sequoia.errors import UserError
from sequoia.ingest.accounts import Account
from sequoia.ingest.files.delta import delta_files
from sequoia.ingest.files.find import RawFile, find_files
from sequoia.ingest.files.fingerprint import fingerprints
from sequoia.ingest.files.recognise import recognise
from sequoia.ingest.named_table import copy_if_table
from sequoia.ingest.settings import GENERATED, Format, required_raw
from sequoia.road.stage import Context
from sequoia.storage import uri
from sequoia.synthetic.generate import corpus_folder

BRONZE = ("events", "products")
TABLES = (*BRONZE, "interactions", "items", "quarantine", "files")


def table_of(form: str) -> str:
    """Return the bronze table for files of a format."""
    return "products" if form == "metadata" else "events"


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file to account for."""

    file: RawFile
    form: Format
    fingerprint: str


def find_inputs(context: Context) -> list[Input]:
    """List the input's files; those of a folder that are none of ours are named and passed over."""
    settings = context.config.ingest
    raw = _raw(context)
    found = _opened(context, find_files(raw, settings.category))
    forms = {file.source: recognise(file, settings) for file in found}
    known = [file for file in found if forms[file.source]]
    if not known:
        names = ", ".join(file.source for file in found[:5])
        raise UserError(
            f"{raw} holds no file of a known format ({names}): set ingest.format, or name another input"
        )
    for file in found:
        if not forms[file.source]:
            context.say(
                f"passing over {file.source}: neither reviews, ratings, metadata, events nor sequences"
            )
    sums = fingerprints(known, settings)
    return [
        Input(file=file, form=form, fingerprint=sums[file.source])
        for file in known
        if (form := forms[file.source])
    ]


def _raw(context: Context) -> str:
    """Return the path of the input: as configured, of a table's copy, or of the generated corpus."""
    raw = required_raw(context.config.ingest)
    if raw == GENERATED:
        return uri(corpus_folder(context.config))
    copy = copy_if_table(context, raw)
    return raw if copy is None else uri(copy)


def known_accounts(context: Context) -> dict[str, Account]:
    """Return the last ingest's accounts by source (one per file), none when they no longer fit the tables.

    That is so when a table is missing, or when bronze rows were written since, as by an ingest that was given
    up, or erased.
    """
    tables = context.tables
    if not all(tables.exists(table) for table in TABLES):
        return {}
    accounts = [Account(**row) for row in tables.rows("files")]
    made_from = {(table, one.versions[table]) for one in accounts for table in BRONZE}
    fit = len(made_from) == len(BRONZE) and not any(tables.changed_since(*one) for one in made_from)
    return {one.source: one for one in accounts} if fit else {}


def _opened(context: Context, found: list[RawFile]) -> list[RawFile]:
    opened: list[RawFile] = []
    for file in found:
        is_log = file.kind == "delta" and context.config.ingest.format in ("auto", "events")
        opened += delta_files(context.spark, file, context.config.ingest.columns) if is_log else [file]
    return sorted(opened, key=lambda file: file.source)
