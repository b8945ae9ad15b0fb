"""The silver tables: interactions and items without duplicates, quarantine, and the accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.gather import gather_pieces
from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.buckets.sizes import grouped
from sequoia.buckets.strings import Unsigned, hash_strings
from sequoia.ingest.accounts import Account, account
from sequoia.ingest.bronze import held
from sequoia.ingest.duplicates import LINES, Source, resolve_events
from sequoia.ingest.inputs import BRONZE, Input
from sequoia.ingest.products import PRODUCTS, resolve_products
from sequoia.road.stage import Context
from sequoia.storage import locate, open_bytes
from sequoia.tables.parts import Part, write_part

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
    kept: Counter[str] = Counter()
    for table in BRONZE:
        kept += _resolve(context, table, forms)
    _write_quarantine(context)
    lines = {source: of for table in BRONZE for source, of in held(context, table).items()}
    accounts = [account(entry, lines.get(entry.file.source), kept, versions) for entry in inputs]
    context.tables.replace_rows("files", [vars(entry) for entry in accounts])
    return accounts


def _resolve(context: Context, bronze: str, forms: Mapping[str, str]) -> Counter[str]:
    """Write the silver table of a bronze one; return the lines kept of each source."""
    tables, silver, how = context.tables, SILVER[bronze], RESOLUTIONS[bronze]
    version = tables.begin(silver)
    parts = tables.files(bronze)
    names = sorted({part.partition["source"] for part in parts})
    sources = [Source(name=name, form=forms[name]) for name in names]

    def read(part: Part) -> pa.Table:
        return _good_lines(part, names.index(part.partition["source"]), how.columns)

    def finish(lines: pa.Table) -> tuple[pa.Table, Report]:
        found = how.resolve(lines, sources)
        places = one_chunk(found.column("source")).indices.to_numpy()
        kept = np.bincount(places, minlength=len(names)).tolist()
        return found, {"kept": kept}

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
    kept = np.sum([report["kept"] for _, report in pieces], axis=0, dtype=np.int64).tolist() if pieces else []
    return Counter(dict(zip(names, kept, strict=False)))


def _good_lines(part: Part, source: int, schema: pa.Schema) -> pa.Table:
    """Read the good lines of a bronze file."""
    names = [name for name in schema.names if name != "source"]
    with open_bytes(locate(part.path)) as file:
        lines = pq.ParquetFile(file).read(columns=[*names, "reason"], use_threads=False)
    reasons = lines.column("reason")
    if reasons.null_count < len(lines):
        lines = lines.filter(pc.is_null(reasons))
    lines = lines.select(names).append_column("source", pa.array(np.full(len(lines), source, np.int32)))
    return lines.select(schema.names).cast(schema)


def _write_quarantine(context: Context) -> None:
    tables = context.tables
    version, target = tables.begin("quarantine"), tables.target("quarantine")
    bad = [part for table in BRONZE for part in tables.files(table) if _has_bad(part)]

    def copy(files: list[Part]) -> Report:
        rows = pa.concat_tables([_bad_lines(part) for part in files])
        return write_part(rows, target).to_json()

    cores = context.spark.sparkContext.defaultParallelism
    reports = map_tasks(context.spark, grouped(bad, cores), copy)
    tables.publish("quarantine", [Part(**report) for report in reports], on=version)


def _has_bad(part: Part) -> bool:
    return part.nulls.get("reason", -1) < part.rows or not part.rows


def _bad_lines(part: Part) -> pa.Table:
    with open_bytes(locate(part.path)) as file:
        lines = pq.ParquetFile(file).read(columns=["line", "reason", "raw"], use_threads=False)
    lines = lines.filter(pc.is_valid(lines.column("reason")))
    source = pa.repeat(part.partition["source"], len(lines))
    return lines.add_column(0, "source", source)
