"""What the sequences stage refuses, each in one sentence, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping

from sequoia.errors import UserError
from sequoia.sequences.core import Core
from sequoia.sequences.settings import SequencesSettings


def check_index(*, indexed: int, interactions: int) -> None:
    """Refuse interactions that the index does not know."""
    if indexed != interactions:
        raise UserError(
            f"the index knows users and items of {indexed:,} of {interactions:,} interactions: "
            "run the index stage, then sequences again"
        )


def check_core(core: Core, settings: SequencesSettings) -> None:
    """Refuse a core that is empty or was not reached."""
    first, last = core.rounds[0], core.rounds[-1]
    if first.interactions == 0:
        raise UserError("0 interactions have a user: sequences need a log with a user or visitor key")
    if last.interactions == 0:
        raise UserError(
            f"of {first.interactions:,} interactions nothing is left after {len(core.rounds) - 1} "
            f"rounds of the {settings.k}-core: set sequences.k lower than {settings.k}, or bring more data"
        )
    if not core.settled:
        raise UserError(
            f"the {settings.k}-core still loses interactions after {settings.max_rounds} rounds "
            f"({last.interactions:,} of {first.interactions:,} are left): raise sequences.max_rounds"
        )


def check_days(histogram: Mapping[int, int], settings: SequencesSettings) -> None:
    """Refuse a log of too few days for a time split, where that is the configured one."""
    if settings.split == "time" and len(histogram) < 3:
        raise UserError(
            f"a time split needs 3 days with events, the {settings.k}-core has {len(histogram)}: "
            "set sequences.split=leave-one-out"
        )
