"""What the stages before promotion leave behind, small enough to write down, and what promotion leaves."""

from __future__ import annotations

import numpy as np
from evaluate.world import train
from promote.evaluated import GOOD, POOR, USERS, evaluated

from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect

BAD = np.full(USERS, 50)

__all__ = ["BAD", "GOOD", "POOR", "USERS", "alias_of", "audit", "evaluated", "train", "versions"]


def alias_of(context: Context, alias: str = "champion") -> str | None:
    found = registry.find_alias(connect(context.config), alias)
    return found.number if found else None


def versions(context: Context) -> dict[str, dict[str, str]]:
    """Return the tags of each version by its number, without those that name runs."""
    connection = connect(context.config)
    found = connection.client.search_model_versions(f"name = '{connection.registered_model}'")
    return {
        str(one.version): {
            key: value
            for key, value in one.tags.items()
            if key not in ("intent", "training_run", "registered_by_run")
        }
        for one in found
    }


def audit(context: Context) -> list[tuple[str, str | None, str | None, str | None]]:
    rows = context.tables.read("promotions").orderBy("decided").collect()
    return [(row["action"], row["version"], row["champion_before"], row["champion_after"]) for row in rows]
