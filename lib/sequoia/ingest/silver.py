"""The silver tables: interactions and items without duplicates, quarantine, and the accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.gather import gather_pieces
from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.buckets.sizes import grouped
from sequoia.buckets.strings import hash_strings
from sequoia.ingest.accounts import Account, Fate, account
from sequoia.ingest.bronze import held
from sequoia.ingest.duplicates import LINES, Source, resolve_events
from sequoia.ingest.files.inputs import BRONZE, Input
from sequoia.ingest.products import PRODUCTS, resolve_products
from sequoia.road.stage import Context
from sequoia.splitmix64 import Unsigned
from sequoia.tables.parts import Part, read_columns, write_part

Resolve = Callable[[pa.Table, Sequence[Source]], pa.Table]
SILVER = {"events": "interactions", "products": "items"}


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """How a bronze table becomes a silver one: the columns to bring together, by what, and what is kept."""

    columns: pa.Schema
    hash_of: Callable[[pa.Table], Unsigned]
    resolve: Resolve


def by_user(lines: pa.Table) -> Unsigned:
    """Return what brings lines of a user together; those without a user are spread by item."""
    user = one_chunk(lines.column("user"))
    hashes = hash_strings(user).first
    if user.null_count:
        hashes = np.where(user.is_valid(), hashes, by_item(lines))
    return hashes


def by_item(lines: pa.Table) -> Unsigned:
    """Return what brings lines of an item together."""
    return hash_strings(one_chunk(lines.column("item"))).first


RESOLUTIONS = {
    "events": Resolution(columns=LINES, hash_of=by_user, resolve=resolve_events),
    "products": Resolution(columns=PRODUCTS, hash_of=by_item, resolve=resolve_products),
}


def write_silver(context: Context, inputs: Sequence[Input]) -> list[Account]:
    """Write interactions, items, quarantine and, last, the accounts, which make the ingest valid."""
    forms = {entry.file.source: entry.form for entry in inputs}
    versions = {table: context.tables.begin(table) for table in BRONZE}
    lines = {source: of for table in BRONZE for source, of in held(context, table).items()}
    fates = {source: fate for table in BRONZE for source, fate in _resolve(context, table, forms).items()}
    _write_quarantine(context, sum(of.bad for of in lines.values()))
    accounts = [
        account(entry, lines.get(entry.file.source), fates.get(entry.file.source), versions)
        for entry in inputs
    ]
    context.tables.replace_rows("files", [vars(entry) for entry in accounts])
    return accounts


def _resolve(context: Context, bronze: str, forms: Mapping[str, str]) -> dict[str, Fate]:
    """Write the silver table of a bronze one; return what became of the good lines of each source."""
    tables, silver, how = context.tables, SILVER[bronze], RESOLUTIONS[bronze]
    version = tables.begin(silver)
    parts = tables.files(bronze)
    names = sorted({part.partition["source"] for part in parts})
    sources = [Source(name=name, form=forms[name]) for name in names]

    def read(part: Part) -> pa.Table:
        return _good_lines(part, names.index(part.partition["source"]), how.columns)

    def finish(lines: pa.Table) -> tuple[pa.Table, Report]:
        found = how.resolve(lines, sources)
        came = one_chunk(lines.column("source")).to_numpy()
        kept = one_chunk(found.column("source")).indices.to_numpy()
        return found, {"counts": [np.bincount(of, minlength=len(names)).tolist() for of in (came, kept)]}

    pieces = gather_pieces(
        context.spark,
        parts,
        read,
        how.hash_of,
        finish,
        rows=sum(of.lines - of.bad for of in held(context, bronze).values()),
        target=tables.target(silver),
    )
    tables.publish(silver, [part for part, _ in pieces], on=version)
    counts = np.zeros((2, len(names)), np.int64)
    for _, report in pieces:
        counts += report["counts"]
    return {
        name: Fate(good=good, kept=kept) for name, (good, kept) in zip(names, counts.T.tolist(), strict=True)
    }


def _good_lines(part: Part, source: int, schema: pa.Schema) -> pa.Table:
    """Read the good lines of a bronze file."""
    names = [name for name in schema.names if name != "source"]
    lines = read_columns(part.path, [*names, "reason"])
    reasons = lines.column("reason")
    if reasons.null_count < len(lines):
        lines = lines.filter(pc.is_null(reasons))
    lines = lines.select(names).append_column("source", pa.array(np.full(len(lines), source, np.int32)))
    return lines.select(schema.names).cast(schema)


def _write_quarantine(context: Context, lines: int) -> None:
    """Copy the bad lines; RuntimeError where they are not as many as were counted when they were read."""
    tables = context.tables
    version, target = tables.begin("quarantine"), tables.target("quarantine")
    bad = [part for table in BRONZE for part in tables.files(table) if _has_bad(part)]

    def copy(files: list[Part]) -> Report:
        rows = pa.concat_tables([_bad_lines(part) for part in files])
        return write_part(rows, target).to_json()

    cores = context.spark.sparkContext.defaultParallelism
    copies = [Part(**report) for report in map_tasks(context.spark, grouped(bad, cores), copy)]
    copied = sum(part.rows for part in copies)
    if copied != lines:
        raise RuntimeError(f"{lines} bad lines were read and {copied} found again for the quarantine")
    tables.publish("quarantine", copies, on=version)


def _has_bad(part: Part) -> bool:
    return part.nulls.get("reason", -1) < part.rows or not part.rows


def _bad_lines(part: Part) -> pa.Table:
    lines = read_columns(part.path, ["line", "reason", "raw"])
    lines = lines.filter(pc.is_valid(lines.column("reason")))
    source = pa.repeat(part.partition["source"], len(lines))
    return lines.add_column(0, "source", source)
