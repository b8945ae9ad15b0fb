"""What the sequences stage refuses, each in one sentence, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping

from sequoia.errors import UserError
from sequoia.sequences.core import Core
from sequoia.sequences.settings import SequencesSettings
from sequoia.sequences.time_cuts import DAY


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


def check_time_cuts(histogram: Mapping[int, int], cuts: tuple[int, int], settings: SequencesSettings) -> None:
    """Refuse a time split with an empty span, where it is the configured one."""
    valid, test = cuts
    if settings.split == "time" and (valid == test or test > max(histogram) * DAY):
        raise UserError(
            f"the time split leaves validation or test empty, for the core's events lie on {len(histogram)} "
            "day(s): set sequences.split=leave-one-out, or larger valid_share and test_share"
        )
