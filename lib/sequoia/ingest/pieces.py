"""The interactions in pieces, for the stages that follow: users by ranges of hashes, in order of time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from sequoia.buckets.gather import gather_pieces
from sequoia.buckets.pieces import Range, as_pieces
from sequoia.buckets.shuffle import Report
from sequoia.ingest.duplicates import LINES, Source, resolve_events
from sequoia.ingest.silver import by_user
from sequoia.road.stage import Context
from sequoia.storage import locate, open_bytes
from sequoia.tables.parts import Part, Target, read_columns

ANY = Source(name="", form="events")


def interaction_pieces(context: Context, folder: str) -> dict[Range, Part]:
    """Return the files of `interactions` by their ranges, in order.

    Where they are no pieces any more, as when Delta has joined them or in a catalog, their rows are brought
    together again in this folder.
    """
    files = context.tables.files("interactions", written_by="ingest")
    pieces = as_pieces(files)
    if pieces is not None:
        return pieces
    context.say("bringing interactions together by user again: their files are not as ingest wrote them")
    rows = context.tables.read("interactions").count()
    target = Target(folder=folder, columns=context.tables.target("interactions").columns)
    found = gather_pieces(context.spark, files, _read, by_user, _finish, rows=rows, target=target)
    return as_pieces([part for part, _ in found]) or {}


def _read(part: Part) -> pa.Table:
    names = [name for name in LINES.names if name != "source"]
    rows = read_columns(part.path, names)
    source = pa.nulls(len(rows), pa.int32()).fill_null(0)
    return rows.append_column("source", source).cast(LINES)


def _finish(rows: pa.Table) -> tuple[pa.Table, Report]:
    return resolve_events(rows, [ANY]), {}


def read_piece(part: Part, columns: list[str]) -> pa.Table:
    """Read columns of a piece; user and item come as dictionaries in the order of their hashes."""
    with open_bytes(locate(part.path)) as file:
        coded = [name for name in ("user", "item") if name in columns]
        rows = pq.ParquetFile(file, read_dictionary=coded).read(columns=columns, use_threads=False)
    return rows.unify_dictionaries().combine_chunks()
