"""Which oddities a metadata line gets, drawn per item and field, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sequoia.synthetic.draws import Draws

FIELDS = ("title", "brand", "price", "rank", "depth", "end", "main", "details", "description")


@dataclass(frozen=True)
class Chance:
    """One number in [0, 1) per field of a line, and where oddities are counted."""

    numbers: dict[str, float]
    dirt: Counter[str]

    def pick(self, field: str, **shares: float) -> str:
        """Return the kind of oddity drawn for a field, after counting it; empty for none."""
        reached = 0.0
        for kind, share in shares.items():
            reached += share
            if self.numbers[field] < reached:
                self.dirt[kind] += 1
                return kind
        return ""


def chances(draws: Draws, items: NDArray[np.int64], dirt: Counter[str]) -> Iterator[Chance]:
    """Yield the chance of each item in turn; a repeated item gets the same again."""
    columns = [draws.uniform(f"metadata {field}", items).tolist() for field in FIELDS]
    for row in zip(*columns, strict=True):
        yield Chance(dict(zip(FIELDS, row, strict=True)), dirt)
