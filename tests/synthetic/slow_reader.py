"""A plain reader of the written files, which knows nothing of how they were made."""

from __future__ import annotations

import ast
import gzip
import json
import math
from pathlib import Path
from typing import Any

LAST_SECOND = 1_600_000_000


def read_lines(path: Path) -> list[bytes]:
    """Return the lines without their ends and without a byte order mark."""
    whole = gzip.decompress(path.read_bytes())
    assert whole.endswith(b"\n")
    lines = whole.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines]


def event_of(line: bytes, *, is_json: bool) -> tuple[str, str, float, int] | str:
    """Return (user, item, rating, time), or what is wrong with the line."""
    if not line:
        return "blank"
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "bad_utf8"
    found = _from_json(text) if is_json else _from_csv(text)
    return found if isinstance(found, str) else _check(*found)


def _from_json(text: str) -> tuple[str, str, float, int] | str:
    try:
        record = json.loads(text)
    except json.JSONDecodeError:
        return "cut"
    if not isinstance(record, dict):
        return "no_object"
    if "asin" not in record:
        return "no_item"
    return record.get("reviewerID", ""), record["asin"], record["overall"], record["unixReviewTime"]


def _from_csv(text: str) -> tuple[str, str, float, int] | str:
    cells = text.split(",")
    if len(cells) != 4:
        return "too_few_columns" if len(cells) < 4 else "too_many_columns"
    item, user, rating, time = cells
    try:
        return user, item, float(rating), int(time)
    except ValueError:
        return "rating_no_number"


def _check(user: str, item: str, rating: float, time: int) -> tuple[str, str, float, int] | str:
    wrong = {
        "no_user": not user,
        "nan_rating": math.isnan(rating),
        "rating_overflow": math.isinf(rating),
        "rating_above_range": 5 < rating < math.inf,
        "rating_below_range": rating < 1,
        "time_zero": time == 0,
        "time_overflow": time >= 2**63,
        "time_future": LAST_SECOND < time < 2**63,
    }
    return next((kind for kind, is_so in wrong.items() if is_so), (user, item, rating, time))


def product_of(line: bytes, *, is_json: bool) -> dict[str, Any] | str:
    """Return the metadata record, or what is wrong with the line."""
    if not line:
        return "blank"
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "bad_utf8"
    try:
        record = json.loads(text) if is_json else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return "expression" if text.endswith("}") else "cut"
    if not isinstance(record, dict):
        return "no_object"
    return record if "asin" in record else "no_item"


def good_events(path: Path) -> list[tuple[str, str, float, int]]:
    """Return (user, item, rating, time) of the lines with nothing wrong, in file order."""
    read = [event_of(line, is_json=".json" in path.name) for line in read_lines(path)]
    return [event for event in read if not isinstance(event, str)]


def good_products(path: Path, *, is_json: bool) -> list[dict[str, Any]]:
    """Return the metadata records of the lines with nothing wrong, in file order."""
    read = [product_of(line, is_json=is_json) for line in read_lines(path)]
    return [record for record in read if not isinstance(record, str)]
