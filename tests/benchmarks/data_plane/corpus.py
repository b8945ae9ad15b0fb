"""The generated corpora that the data plane is timed on: the shape of the Amazon 2018 corpus at any size."""

from __future__ import annotations

from pathlib import Path

from sequoia.config import load_config
from sequoia.road.stage import Context
from sequoia.synthetic.generate import generate

CATEGORIES = ["Books", "Clothing", "Home", "Electronics", "Sports", "Cells", "Tools", "Movies"]
FURTHER = 0.72
LINES = 1.622  # of a user in a category, after the shares of base.yaml
ITEM_SHARE = 0.065  # items per line, as in the whole corpus: 15.2 M of 233 M
PER_THEME = 36  # items of a theme and as many rare ones
# Readers judge bad lines apart; what dirt costs is measured by dirty_lines.py. CRLF ends and duplicates stay.
SAME_FOR_ALL = ["synthetic.malformed_per_kind=0", "negatives.stored=null"]


def ratings(rows: int) -> list[str]:
    """Return the settings of plain ratings files of so many lines, 5.4 a user, in few categories."""
    count = len(CATEGORIES)
    memberships = (1 - FURTHER**count) / (1 - FURTHER)
    themes = max(4, round(rows * ITEM_SHARE / count / PER_THEME))
    categories = ", ".join(f"{name}: 2018" for name in CATEGORIES)
    return [
        f"synthetic.categories={{{categories}}}",
        "synthetic.formats=[ratings]",
        "synthetic.compress=false",
        "synthetic.category_skew=0.8",
        f"synthetic.further_category_share={FURTHER}",
        f"synthetic.users={round(rows / (LINES * memberships))}",
        f"synthetic.themes={themes}",
        "synthetic.block_users=200000",
        *SAME_FOR_ALL,
    ]


def reviews(rows: int) -> list[str]:
    """Return the settings of one gzip file of so many reviews with their text."""
    return [
        "synthetic.categories={Games: 2014}",
        "synthetic.formats=[reviews]",
        f"synthetic.users={round(rows / LINES)}",
        f"synthetic.themes={max(4, round(rows * ITEM_SHARE / PER_THEME))}",
        *SAME_FOR_ALL,
    ]


def write(workspace: Path, settings: list[str]) -> None:
    """Write the corpus that these settings ask for, unless it is there."""
    generate(Context(load_config(overrides=[f"workspace={workspace}", "ingest.raw=generated", *settings])))
