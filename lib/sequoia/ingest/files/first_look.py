"""A look at the first lines of every new file before anything is written: is it what it is taken for?"""

from __future__ import annotations

import re
from collections import Counter

from sequoia.errors import UserError
from sequoia.ingest.files.blocks import Block
from sequoia.ingest.files.find import RawFile
from sequoia.ingest.files.recognise import first_lines
from sequoia.ingest.formats.grammars import grammar, ratings_order
from sequoia.ingest.formats.parse import parse
from sequoia.ingest.settings import Format, IngestSettings

LINES = 1000
ITEM = re.compile(r"[0-9A-Z]{10}")
REVIEWER = re.compile(r"A[0-9A-Z]{10,}")
CLEAR = 0.9


def check_first_lines(
    file: RawFile, form: Format, settings: IngestSettings, header: list[str] | None
) -> None:
    """Parse a file's first lines; UserError when most are malformed or its columns are swapped."""
    lines = first_lines(file, LINES + (header is not None), settings)
    lines = lines[1:] if header is not None else lines
    if not lines:
        raise UserError(
            f"{file.path} has a header and nothing below it: fetch it again, or take it out of the input"
        )
    if form == "ratings":
        _check_order(file, lines, settings)
    block = Block(data=b"\n".join(lines).replace(b"\r", b"") + b"\n")
    found = grammar(form, settings, name=file.name, header=header)
    reasons = parse(found, block).column("reason").to_pylist()
    bad = Counter(reason for reason in reasons if reason)
    if bad.total() > settings.max_quarantined * len(reasons):
        worst, times = bad.most_common(1)[0]
        raise UserError(
            f"{file.path} does not look like {form}: {bad.total()} of its first {len(reasons)} rows cannot "
            f"be used, more than ingest.max_quarantined = {settings.max_quarantined} (commonest: {worst}, "
            f"{times} times); set ingest.format, or raise the bound"
        )


def _check_order(file: RawFile, lines: list[bytes], settings: IngestSettings) -> None:
    pairs = [line.decode("utf-8", "replace").split(",")[:2] for line in lines]
    pairs = [pair for pair in pairs if len(pair) == 2]
    expected = ratings_order(file.name, settings)
    other = "user,item" if expected == "item,user" else "item,user"
    if _share(pairs, other) >= CLEAR > _share(pairs, expected):
        raise UserError(
            f"{file.path} has its columns in the order {other} (by the shape of its ids), expected was "
            f"{expected}: set ingest.ratings_order={other}"
        )


def _share(pairs: list[list[str]], order: str) -> float:
    """Return the share of lines whose ids look like Amazon's in that order."""
    item, user = (0, 1) if order == "item,user" else (1, 0)
    fits = sum(bool(ITEM.fullmatch(pair[item]) and REVIEWER.fullmatch(pair[user])) for pair in pairs)
    return fits / max(1, len(pairs))
