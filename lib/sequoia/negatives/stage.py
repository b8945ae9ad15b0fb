"""The negatives stage: candidate sets for metrics that rank the true item among a sample.

Those of a sample of users are stored, as a record and for other tools; evaluate draws the others itself, the
same to the bit. Reads `sequences` and `vocabulary`, writes `negatives`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sequoia.buckets.shuffle import Report, call_tasks
from sequoia.negatives.draw import PURPOSES, drawing, write_candidates
from sequoia.road.stage import Context, StageResult
from sequoia.tables.parts import Part, rows_of_file


def run(context: Context) -> StageResult:
    """Draw the candidates of a sample of the users with a held-out event: both splits, both samplers."""
    tables, settings = context.tables, context.config.negatives
    sequences = tables.files("sequences", written_by="sequences")
    vocabulary = tables.files("vocabulary", written_by="sequences")
    drawn_by = drawing(context.config, [part.path for part in vocabulary])
    users = sum(call_tasks(context.spark, [partial(rows_of_file, part.path) for part in sequences]))
    share = min(1.0, settings.stored / max(users, 1)) if settings.stored is not None else 1.0
    version, target = tables.begin("negatives"), tables.target("negatives")
    calls = [partial(write_candidates, part, drawn_by, share, target) for part in sequences]
    reports: list[Report] = call_tasks(context.spark, calls)
    drawn = [one for report in reports for one in report["sets"]]
    tables.publish("negatives", [Part(**one["part"]) for one in drawn if one["part"]], on=version)
    sets = [_total(drawn, split, sampler) for split, sampler in sorted(PURPOSES)]
    return StageResult(
        rows_in=sum(report["rows"] for report in reports),
        rows_out=sum(one["users"] for one in sets),
        details={
            "candidates": settings.candidates,
            "alpha": settings.alpha,
            "share": share,
            "seed": context.config.seed,
            "items": max((report["items"] for report in reports), default=0),
            "sets": [one for one in sets if one["users"]],
        },
    )


def _total(drawn: list[Report], split: str, sampler: str) -> dict[str, Any]:
    """Count users of a split and sampler, and those for whom the catalogue was too small for a full set."""
    own = [one for one in drawn if (one["split"], one["sampler"]) == (split, sampler)]
    counts = {name: sum(one[name] for one in own) for name in ("users", "short")}
    return {"split": split, "sampler": sampler, **counts}
