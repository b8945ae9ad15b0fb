"""Which files an input names: a folder's, a category's, one file, or those of a Parquet or Delta table."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sequoia.errors import UserError

Kind = Literal["lines", "parquet", "delta"]
NAME = re.compile(
    r"(?P<prefix>meta_|reviews_|ratings_)?(?P<category>.+?)(?P<core>_5)?\.(?P<kind>csv|json|jsonl)(\.gz)?"
)
TEXT = (".csv", ".json", ".jsonl", ".txt")


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """One file of the input; `source` is its path below `root`; `table` the Delta table around it."""

    path: str
    source: str
    root: str
    kind: Kind
    bytes: int
    table: str | None = None

    @property
    def name(self) -> str:
        """Return the file's name without .gz."""
        return Path(self.path).name.removesuffix(".gz")


def find_files(raw: str, category: str | None) -> list[RawFile]:
    """List the files of an input by name.

    Raises UserError when it is missing, holds no file, or no file of the category.
    """
    root = Path(raw).expanduser().absolute()
    if root.is_file():
        return [raw_file(root, root.parent)]
    if not root.is_dir():
        raise UserError(
            f"ingest.raw = {raw} does not exist: name a folder with raw files, one file, or a Delta table"
        )
    found = sorted(_walk(root, root), key=lambda file: file.source)
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


def _walk(folder: Path, root: Path) -> Iterator[RawFile]:
    if (folder / "_delta_log").is_dir():
        # Which of its files are the table only its log knows: delta_parts opens it.
        yield RawFile(path=str(folder), source="", root=str(root), kind="delta", bytes=0, table=str(folder))
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_dir():
            yield from _walk(entry, root)
        elif entry.name.removesuffix(".gz").endswith((*TEXT, ".parquet")):
            yield raw_file(entry, root)


def raw_file(path: Path, root: Path, table: str | None = None) -> RawFile:
    """Describe a file below an input folder."""
    kind: Kind = "lines" if table is None else "delta"
    kind = "parquet" if table is None and path.name.endswith(".parquet") else kind
    source, size = path.relative_to(root).as_posix(), os.stat(path).st_size
    return RawFile(path=str(path), source=source, root=str(root), kind=kind, bytes=size, table=table)


def _of_category(found: list[RawFile], category: str, raw: str) -> list[RawFile]:
    chosen = [file for file in found if belongs(Path(file.path).name, category)]
    if chosen:
        return chosen
    matches = [NAME.fullmatch(Path(file.path).name) for file in found]
    known = sorted({match["category"] for match in matches if match})
    near = difflib.get_close_matches(category, known, n=3, cutoff=0.3) or known[:10]
    hint = f"nearest are {', '.join(near)}" if near else "it holds no review, rating or metadata files"
    raise UserError(f"{raw} has no files of ingest.category = {category}: {hint}")
