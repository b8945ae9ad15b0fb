"""Names and texts as SQL takes them: every name in back-ticks, so that hyphens and keywords are harmless."""

from __future__ import annotations

import re

from sequoia.errors import UserError
from sequoia.storage import Location, spark_uri

PART = re.compile(r"`(?P<quoted>(?:[^`]|``)+)`|(?P<plain>[^`.\s]+)")


def parts(name: str) -> tuple[str, ...]:
    """Split catalog.schema.table at its dots; a part in back-ticks may hold dots and doubled back-ticks.

    Raises UserError for a name that is none.
    """
    found: list[str] = []
    place = 0
    while part := PART.match(name, place):
        found.append(part["quoted"].replace("``", "`") if part["quoted"] else part["plain"])
        place = part.end()
        if place == len(name):
            return tuple(found)
        if name[place] != ".":
            break
        place += 1
    raise UserError(
        f"{name!r} is no name of a catalog, schema or table: write a.b.c, parts with dots in back-ticks"
    )


def quoted(*names: str) -> str:
    """Return parts of a name as one identifier, each in back-ticks."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in names)


def path_identifier(location: Location) -> str:
    """Return the identifier of the Delta table in a folder."""
    return f"delta.{quoted(spark_uri(location))}"


def literal(text: str) -> str:
    """Return a text as SQL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
