"""Raw files in, interactions and items out, every line accounted for.

The tables say what the input holds now: a file that did not change is not read again, one that is gone
leaves them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.errors import UserError
from sequoia.ingest.accounts import Account
from sequoia.ingest.bronze import drop_gone, held, read_changed
from sequoia.ingest.files.inputs import BRONZE, Input, find_inputs, known_accounts
from sequoia.ingest.silver import write_silver
from sequoia.road.stage import Context, StageResult
from sequoia.tables.parts import Part, read_columns

NAMED = 5


def run(context: Context) -> StageResult:
    """Ingest what changed; rows in are lines, rows out interactions and items."""
    inputs = find_inputs(context)
    known = known_accounts(context)
    seen = {source: account.fingerprint for source, account in known.items()}
    if seen == {entry.file.source: entry.fingerprint for entry in inputs}:
        context.say(f"nothing changed in {len(inputs)} files")
        return _result(context, list(known.values()))
    read_changed(context, inputs)
    _check_shrinking(context, inputs)
    drop_gone(context, inputs)
    context.say("resolving duplicates")
    return _result(context, write_silver(context, inputs))


def _reasons(context: Context) -> dict[str, int]:
    """Count quarantined lines by reason, the most frequent first."""
    counted = map_tasks(context.spark, context.tables.files("quarantine"), _count_reasons)
    totals = sum((Counter(report) for report in counted), Counter[str]())
    return dict(sorted(totals.items(), key=lambda one: (-one[1], one[0])))


def _count_reasons(part: Part) -> Report:
    reasons = read_columns(part.path, ["reason"]).column("reason")
    return dict(Counter(reasons.to_pylist()))


def _check_shrinking(context: Context, inputs: Sequence[Input]) -> None:
    """Refuse an input of far fewer lines than the last one: part of it may be missing."""
    tables, most = context.tables, context.config.ingest.max_dropped
    before = {row["source"]: row["lines"] for row in tables.rows("files")} if tables.exists("files") else {}
    present = {source: of.lines for table in BRONZE for source, of in held(context, table).items()}
    now = sum(present.get(entry.file.source, 0) for entry in inputs)
    was = sum(before.values())
    if was - now > most * was:
        gone = sorted(before.keys() - {entry.file.source for entry in inputs})
        more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
        which = f" ({', '.join(gone[:NAMED])}{more} are gone)" if gone else ""
        raise UserError(
            f"the input has {now:,} lines, the last ingest had {was:,}{which}: {(was - now) / was:.0%} "
            f"fewer, more than ingest.max_dropped = {most}; bring them back, or set ingest.max_dropped=1 to "
            "let them go"
        )


def _result(context: Context, accounts: list[Account]) -> StageResult:
    products = sum(entry.kept for entry in accounts if entry.format == "metadata")
    events = sum(entry.kept for entry in accounts) - products
    details: dict[str, Any] = {
        "files": [entry.summary() for entry in sorted(accounts, key=lambda entry: entry.source)],
        "interactions": events,
        "products": products,
        "reasons": _reasons(context),
    }
    lines = sum(entry.lines for entry in accounts)
    return StageResult(rows_in=lines, rows_out=events + products, details=details)
