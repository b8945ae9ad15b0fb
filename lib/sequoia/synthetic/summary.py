"""What was written, counted while writing, for checks of whatever reads it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sequoia.settings import Settings
from sequoia.synthetic.events import EventBlock

FileFormat = Literal["ratings", "reviews", "metadata"]


class FileSummary(Settings):
    """One file: lines = kept + duplicates + all malformed."""

    name: str
    category: str
    format: FileFormat
    lines: int
    kept: int  # distinct (user, item, time) of events, distinct items of metadata
    duplicates: int  # good lines beyond those
    malformed: dict[str, int]  # unusable lines by kind
    dirt: dict[str, int]  # good lines by what is odd about them; a line may count under several kinds
    users: int  # distinct in good lines; 0 for metadata
    items: int  # distinct in good lines


class CorpusSummary(Settings):
    """All files; events of the 5-core reviews are also in the ratings of their category and count once."""

    files: list[FileSummary]
    users: int
    items: int
    interactions: int  # distinct (user, item, time)


@dataclass
class Account:
    """Running counts of one file; seen is bool [items of the category]."""

    seen: NDArray[np.bool_]
    lines: int = 0
    kept: int = 0
    duplicates: int = 0
    users: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    dirt: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, block: EventBlock, items: int) -> Account:
        """Count a block of good event lines of a category with so many items."""
        account = cls(np.zeros(items, dtype=bool))
        users = int(np.count_nonzero(np.bincount(block.user)))
        account.add(block.item, kept=block.count_distinct(), users=users)
        account.dirt["altered_copy"] += int((block.version > 0).sum())
        return account

    def join(self, other: Account) -> None:
        """Add the counts of other users, or other products, of the same file."""
        self.seen |= other.seen
        self.lines += other.lines
        self.kept += other.kept
        self.duplicates += other.duplicates
        self.users += other.users
        self.malformed.update(other.malformed)
        self.dirt.update(other.dirt)

    def add(self, items: NDArray[np.int64], kept: int, users: int) -> None:
        """Count a block of good lines, given their items and how many are distinct."""
        self.seen[items] = True
        self.kept += kept
        self.duplicates += len(items) - kept
        self.users += users

    def summary(self, name: str, category: str, file_format: FileFormat) -> FileSummary:
        """Return the final counts, kinds in alphabetical order."""
        return FileSummary(
            name=name,
            category=category,
            format=file_format,
            lines=self.lines,
            kept=self.kept,
            duplicates=self.duplicates,
            malformed=dict(sorted(self.malformed.items())),
            dirt={kind: count for kind, count in sorted(self.dirt.items()) if count},
            users=self.users,
            items=int(self.seen.sum()),
        )
