"""Which files an input names: a folder's, a category's, one file, or those of a Parquet or Delta table."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from sequoia.errors import UserError
from sequoia.storage import Entry, Location, entries, locate, uri

Kind = Literal["lines", "parquet", "delta"]
NAME = re.compile(
    r"(?P<prefix>meta_|reviews_|ratings_)?(?P<category>.+?)(?P<core>_5)?\.(?P<kind>csv|json|jsonl)(\.gz)?"
)
TEXT = (".csv", ".json", ".jsonl", ".txt")
LOG = "_delta_log"


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """One file of the input; `source` is its place below `root`; `table` the Delta table around it.

    Paths are what `sequoia.storage.locate` takes; `stamp` changes when the contents do.
    """

    path: str
    source: str
    root: str
    kind: Kind
    bytes: int
    stamp: str
    table: str | None = None

    @property
    def is_text(self) -> bool:
        """Say whether the file holds lines of text, not the rows of a table."""
        return self.kind == "lines"

    @property
    def name(self) -> str:
        """Return the file's name without .gz."""
        return self.path.rpartition("/")[2].removesuffix(".gz")


def find_files(raw: str, category: str | None) -> list[RawFile]:
    """List the files of an input by name.

    Raises UserError when it is missing, holds no file, or no file of the category.
    """
    root = locate(raw)
    present = entries(root)
    if not present and not root.exists():
        raise UserError(
            f"ingest.raw = {raw} does not exist: name a folder with raw files, one file, a Delta table's "
            "folder, or a table as schema.table"
        )
    if [entry.location for entry in present] == [root]:
        return [raw_file(present[0], root.parent)]
    found = _raw_files(present, root)
    if category is not None:
        return _of_category(found, category, raw)
    if not found:
        raise UserError(
            f"{raw} holds no raw files (*.json, *.csv, *.txt, each also .gz, or *.parquet): name another"
        )
    return found


def belongs(name: str, category: str) -> bool:
    """Say whether a file name is one of a category's: <C>.csv, <C>_5.json, meta_<C>.json, and so on."""
    stem = re.escape(category)
    lines = rf"(meta_|reviews_)?{stem}\.jsonl?|(reviews_)?{stem}_5\.jsonl?|(ratings_)?{stem}\.csv"
    return re.fullmatch(rf"({lines})(\.gz)?", name) is not None


def _raw_files(present: list[Entry], root: Location) -> list[RawFile]:
    """Choose Delta tables, each as one (only its log knows which files count), and files of our kinds."""
    places = [entry.relative.split("/") for entry in present]
    above = [place[: place.index(LOG)] for place in places if LOG in place]
    tables = {"/".join(place) for place in above if not _is_hidden(place)}
    found = [_delta_table(table, root) for table in tables]
    for entry in present:
        place = entry.relative.split("/")
        inside = any("/".join(place[:depth]) in tables for depth in range(len(place)))
        if not inside and not _is_hidden(place) and _is_raw(place[-1]):
            found.append(raw_file(entry, root))
    return sorted(found, key=lambda file: file.source)


def _is_hidden(place: list[str]) -> bool:
    return any(name.startswith((".", "_")) for name in place)


def _is_raw(name: str) -> bool:
    return name.removesuffix(".gz").endswith((*TEXT, ".parquet"))


def _delta_table(relative: str, root: Location) -> RawFile:
    folder = uri(root / relative if relative else root)
    return RawFile(
        path=folder, source=relative, root=uri(root), kind="delta", bytes=0, stamp="", table=folder
    )


def raw_file(entry: Entry, root: Location, *, below: str = "", table: str | None = None) -> RawFile:
    """Describe a file of an input folder; `below` is the place there of the Delta table it is part of."""
    kind: Kind = "lines" if table is None else "delta"
    kind = "parquet" if table is None and entry.relative.endswith(".parquet") else kind
    return RawFile(
        path=uri(entry.location),
        source=f"{below}/{entry.relative}" if below else entry.relative,
        root=uri(root),
        kind=kind,
        bytes=entry.bytes,
        stamp=entry.stamp,
        table=table,
    )


def _of_category(found: list[RawFile], category: str, raw: str) -> list[RawFile]:
    chosen = [file for file in found if belongs(PurePosixPath(file.path).name, category)]
    if chosen:
        return chosen
    matches = [NAME.fullmatch(PurePosixPath(file.path).name) for file in found]
    known = sorted({match["category"] for match in matches if match})
    near = difflib.get_close_matches(category, known, n=3, cutoff=0.3) or known[:10]
    hint = f"nearest are {', '.join(near)}" if near else "it holds no review, rating or metadata files"
    raise UserError(f"{raw} has no files of ingest.category = {category}: {hint}")
