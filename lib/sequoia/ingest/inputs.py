"""What there is to read: files with formats and fingerprints, and what the accounts know of them already."""

from __future__ import annotations

from dataclasses import dataclass

from sequoia.errors import UserError
from sequoia.ingest.accounts import Account
from sequoia.ingest.event_tables import delta_parts
from sequoia.ingest.find import RawFile, find_files
from sequoia.ingest.fingerprint import fingerprints
from sequoia.ingest.named_table import copy_if_table
from sequoia.ingest.recognise import recognise
from sequoia.ingest.settings import GENERATED, Format, required_raw
from sequoia.road.stage import Context
from sequoia.storage import uri
from sequoia.synthetic.generate import corpus_folder

BRONZE = ("events", "products")
TABLES = (*BRONZE, "interactions", "items", "quarantine", "files")


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

    That is so when a table is missing, or when an ingest that was given up has written bronze rows since.
    """
    tables = context.tables
    if not all(tables.exists(table) for table in TABLES):
        return {}
    accounts = [Account(**row) for row in tables.rows("files")]
    versions = bronze_versions(context)
    made_from = {"events": {entry.events_version for entry in accounts}}
    made_from["products"] = {entry.products_version for entry in accounts}
    fit = all(made_from[table] == {versions[table]} for table in versions)
    return {entry.source: entry for entry in accounts} if fit else {}


def bronze_versions(context: Context) -> dict[str, int]:
    """Return the version of the write each bronze table holds, -1 for none.

    Maintenance such as OPTIMIZE changes no rows; a table that was restored holds an earlier write.
    """
    return {table: _last_write(context, table) for table in BRONZE}


def _last_write(context: Context, table: str) -> int:
    newest = None
    for commit in context.tables.history(table):
        if newest is not None and commit["version"] > newest:
            continue
        if commit["operation"] == "WRITE":
            return int(commit["version"])
        if commit["operation"] == "RESTORE":
            newest = int(commit["operationParameters"]["version"])
    return -1


def _opened(context: Context, found: list[RawFile]) -> list[RawFile]:
    opened: list[RawFile] = []
    for file in found:
        opened += delta_parts(context.spark, file) if file.kind == "delta" else [file]
    return sorted(opened, key=lambda file: file.source)
