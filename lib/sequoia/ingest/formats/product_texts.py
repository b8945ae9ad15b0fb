"""Product metadata as people mean it: plain text, a price as a number, a path of categories."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

TAG = re.compile(r"<[^<>]*>")
MARKUP = re.compile(r"</?[a-zA-Z!][^<]*$|^[^<>]*/>")
CODE = re.compile(r"<script|<style|\{[^}]*:[^}]*[;}]|function\s*\(", re.IGNORECASE)
PRICE = re.compile(r"\$?\s*([0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)(?:\s*-\s*\$?\s*[0-9][0-9,.]*)?$")
ALT = re.compile(r"""<img\b[^>]*\balt=(["'])(.*?)\1""", re.IGNORECASE | re.DOTALL)
BY = re.compile(r"by\s*\n\s*", re.IGNORECASE)
LARGEST_PRICE = 1e9


def text(value: object) -> str | None:
    """Return plain text: no tags, entities resolved, spaces joined; None for fragments of markup and code."""
    if not isinstance(value, str) or CODE.search(value):
        return None
    plain = TAG.sub(" ", value)
    if MARKUP.search(plain):
        return None
    # Entities are resolved after the tags: "&lt;3" is what somebody wrote, not markup.
    joined = " ".join(html.unescape(plain).replace("\0", " ").split())
    return _unicode(joined) or None


def brand(value: object) -> str | None:
    """Return the maker's name, without the page's 'by' in front and what hangs below it."""
    return text(BY.sub("", value.strip(), count=1) if isinstance(value, str) else value)


def price(value: object) -> float | None:
    """Return US dollars above 0: of a number, of "$1,250.00", of a range its lower end; else None."""
    if isinstance(value, str):
        found = PRICE.match(value.strip())
        value = float(found.group(1).replace(",", "")) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= LARGEST_PRICE else None


def categories(value: object, main: object = None) -> list[str]:
    """Return the category path, broadest first: a list of names (2018), or the first of several paths (2014).

    The path ends before the first node that holds markup. Without a path, the main category is one.
    """
    nodes = value if isinstance(value, list | tuple) else []
    if nodes and isinstance(nodes[0], list | tuple):
        nodes = nodes[0]
    return _clean_path(nodes) or [name for name in [main_category(main)] if name]


def main_category(value: object) -> str | None:
    """Return the main category's name; of an image tag its alternative text."""
    image = ALT.search(value) if isinstance(value, str) else None
    return text(image.group(2) if image else value)


def _clean_path(nodes: Sequence[object]) -> list[str]:
    path: list[str] = []
    for node in nodes:
        name = text(node)
        if name is None or "<" in str(node) or ">" in str(node):
            break
        path.append(name)
    return path


def _unicode(value: str) -> str:
    """Drop what cannot be written as UTF-8 (halves of surrogate pairs)."""
    return value.encode("utf-8", "ignore").decode("utf-8")
