"""Raw files in, interactions and items out, every line accounted for.

The tables say what the input holds now: a file that did not change is not read again, one that is gone
leaves them.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import Row
from pyspark.sql import functions as F

from sequoia.ingest.accounts import Account
from sequoia.ingest.bronze import write_bronze
from sequoia.ingest.inputs import find_inputs, known_accounts
from sequoia.ingest.silver import write_silver
from sequoia.road.stage import Context, StageResult
from sequoia.together import together


def run(context: Context) -> StageResult:
    """Ingest what changed; rows in are lines, rows out interactions and items."""
    inputs = find_inputs(context)
    known = known_accounts(context)
    unchanged = [
        entry
        for entry in inputs
        if entry.file.source in known and known[entry.file.source].fingerprint == entry.fingerprint
    ]
    kept_sources = {entry.file.source for entry in unchanged}
    changed = [entry for entry in inputs if entry.file.source not in kept_sources]
    if not changed and kept_sources == known.keys():
        context.say(f"nothing changed in {len(inputs)} files")
        return _result(context, [known[entry.file.source] for entry in inputs])
    size = sum(entry.file.bytes for entry in changed)
    context.say(f"reading {len(changed)} of {len(inputs)} files, {size / 1e6:,.1f} MB")
    write_bronze(context, changed, unchanged)
    context.say("resolving duplicates")
    return _result(context, write_silver(context, inputs))


def _result(context: Context, accounts: list[Account]) -> StageResult:
    tables = context.tables
    interactions, quarantine = tables.read("interactions"), tables.read("quarantine")
    counted = interactions.agg(F.count_distinct("user"), F.count_distinct("item"))
    # As many rows as there are reasons, of which there is a fixed set.
    (users_items, reasons) = together(counted.first, quarantine.groupBy("reason").count().collect)
    products = sum(entry.kept for entry in accounts if entry.format == "metadata")
    events = sum(entry.kept for entry in accounts) - products
    details: dict[str, Any] = {
        "files": [entry.summary() for entry in accounts],
        "users": users_items[0],
        "items": users_items[1],
        "interactions": events,
        "products": products,
        "reasons": {row["reason"]: row["count"] for row in sorted(reasons, key=_most_frequent_first)},
    }
    lines = sum(entry.lines for entry in accounts)
    return StageResult(rows_in=lines, rows_out=events + products, details=details)


def _most_frequent_first(row: Row) -> tuple[int, str]:
    return -row["count"], row["reason"]
