"""Remove what nothing needs any more, or say what would go.

A version and a model folder go before the run that they name, so that a clean that was stopped leaves nothing
that names what is gone; the next one goes on.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sequoia.report.text_table import shorten, text_table
from sequoia.report.wording import bytes_text
from sequoia.retention.history import old_history
from sequoia.retention.kept import find_kept
from sequoia.retention.needs import find_needs
from sequoia.retention.registry import old_runs, old_versions
from sequoia.retention.removal import Removal
from sequoia.retention.trainings import own_trainings
from sequoia.retention.workspace import (
    old_checkpoints,
    old_copies,
    old_models,
    old_snapshots,
    runs_of_models,
    scratch,
)
from sequoia.road.stage import Context
from sequoia.tracking.connection import connect

NAME_WIDTH = 64


def clean(context: Context, *, dry_run: bool, now: datetime | None = None) -> str:
    """Remove what is older than the settings say and not needed; return the list of it as a table."""
    doomed = find_doomed(context, now or datetime.now(UTC))
    for removal in doomed if not dry_run else []:
        context.say(f"removing {removal.kind} {removal.name}")
        removal.remove()
    return render(doomed, dry_run=dry_run)


def find_doomed(context: Context, now: datetime) -> list[Removal]:
    """Return everything that may go, in the order in which it does."""
    trainings = own_trainings(context)
    kept = find_kept(context, trainings)
    versions, models = old_versions(context, kept, now), old_models(context, kept, now)
    needs = find_needs(connect(context.config), kept, versions, runs_of_models(context, models))
    return [
        *scratch(context, now),
        *versions,
        *old_copies(context, kept, now),
        *models,
        *old_checkpoints(context, kept, now),
        *old_runs(context, trainings, needs, now),
        *old_snapshots(context, now),
        *old_history(context),
    ]


def render(doomed: list[Removal], *, dry_run: bool) -> str:
    """Return a line for each thing with its age and size, and the total."""
    if not doomed:
        return "nothing to remove"
    rows = [
        [shorten(removal.name, NAME_WIDTH), removal.kind, f"{removal.age_days:.0f}", _size(removal.size)]
        for removal in doomed
    ]
    total = sum(removal.size or 0 for removal in doomed)
    done = "would go" if dry_run else "removed"
    table = text_table(["What", "kind", "days", "size"], rows, texts=2)
    return "\n".join([*table, f"{len(doomed):,} {done}, {bytes_text(total)}"])


def _size(size: int | None) -> str:
    return "-" if size is None else bytes_text(size)
