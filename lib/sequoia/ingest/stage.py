"""Raw files in, interactions and items out, every line accounted for.

The tables say what the input holds now: a file that did not change is not read again, one that is gone leaves them.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from sequoia.ingest.accounts import Account
from sequoia.ingest.bronze import write_bronze
from sequoia.ingest.inputs import find_inputs, known_accounts
from sequoia.ingest.silver import write_silver
from sequoia.stage import Context, StageResult


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
    users, items, interactions = tables.read("interactions").agg(
        F.count_distinct("user"), F.count_distinct("item"), F.count(F.lit(1))
    ).first() or (0, 0, 0)
    products = tables.read("items").count()
    # As many rows as there are reasons, of which there is a fixed set.
    reasons = tables.read("quarantine").groupBy("reason").count().collect()
    details: dict[str, Any] = {
        "files": [entry.summary() for entry in accounts],
        "users": users,
        "items": items,
        "interactions": interactions,
        "products": products,
        "reasons": {row["reason"]: row["count"] for row in sorted(reasons, key=lambda row: -row["count"])},
    }
    lines = sum(entry.lines for entry in accounts)
    return StageResult(rows_in=lines, rows_out=interactions + products, details=details)
