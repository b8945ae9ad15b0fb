"""The stages by name, in order, what each builds on, and the choice of some. Imports none of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sequoia.errors import UserError

ROAD = {
    "ingest": "Read raw files into interactions and items; account for every line.",
    "index": "Give users, items, categories and brands dense ids that stay.",
    "sequences": "Filter to the k-core, order, split, and write sequences, sessions and training rows.",
    "negatives": "Draw the candidate sets for sampled metrics.",
    "train": "Train the models on a pinned snapshot and log them to MLflow.",
    "evaluate": "Rank all items for every held-out event; metrics with intervals.",
    "promote": "Register the best model and move the alias if the gate passes.",
    "recommend": "Write the top items of every user from the champion.",
    "report": "Write summary.json and the HTML report.",
}

# What each stage reads that others wrote. negatives and train both build on sequences alone: they may run
# side by side, and neither makes the other out of date.
BUILDS_ON: dict[str, tuple[str, ...]] = {
    "ingest": (),
    "index": ("ingest",),
    "sequences": ("ingest", "index"),
    "negatives": ("sequences",),
    "train": ("sequences",),
    "evaluate": ("sequences", "negatives", "train"),
    "promote": ("train", "evaluate"),
    "recommend": ("ingest", "promote"),
    "report": ("ingest", "sequences", "evaluate", "promote", "recommend"),
}


def ancestors(name: str) -> set[str]:
    """Return every stage whose result reaches this one, directly or through others."""
    direct = BUILDS_ON[name]
    return set(direct).union(*(ancestors(before) for before in direct))


def choose_stages(first: str | None = None, last: str | None = None, only: Sequence[str] = ()) -> list[str]:
    """Return the stages from `first` to `last`, or those of `only`, in the order of the road.

    Raises UserError for an unknown stage, an empty choice, or both kinds of choice at once.
    """
    names = list(ROAD)
    for name in (first, last, *only):
        if name is not None and name not in ROAD:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"stages are {', '.join(names)}"
            raise UserError(f"unknown stage {name}: {hint}")
    if only:
        if first or last:
            raise UserError(
                "--only names all stages to run, --from and --to their ends: give one or the other"
            )
        return [name for name in names if name in only]
    start = names.index(first) if first else 0
    end = names.index(last) if last else len(names) - 1
    if start > end:
        raise UserError(f"--from {first} comes after --to {last}: the road is {', '.join(names)}")
    return names[start : end + 1]
