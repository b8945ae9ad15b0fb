"""What a new champion may cost beside the metric: sides of the models that it does not show, with margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequoia.promote.comparison import Comparison
from sequoia.promote.verdict import Verdict, needed, with_ends

if TYPE_CHECKING:
    from sequoia.promote.settings import GuardRails


@dataclass(frozen=True, kw_only=True)
class Rail:
    """A side of the models that the metric does not show: the challenger's value and the champion's."""

    name: str
    own: float
    other: float


def guard_rails(rails: Sequence[Rail], slices: Sequence[Comparison], limits: GuardRails) -> list[Verdict]:
    """Judge what a new champion may cost: coverage, popularity, latency, size, new users and cold items.

    slices: comparisons over new users and cold items. limits: margins; a rail without one is not judged.
    """
    found = {rail.name: rail for rail in rails}
    verdicts = []
    if limits.coverage is not None:
        verdicts.append(_at_least(found["coverage@10"], 1 - limits.coverage))
    if limits.popularity is not None:
        rail = found["shown_popularity@10"]
        verdicts.append(_at_most(rail, rail.other + limits.popularity))
    if limits.latency is not None:
        rail = found["latency_p50_ms"]
        verdicts.append(_at_most(rail, max(rail.other * (1 + limits.latency), limits.latency_floor_ms)))
    if limits.size is not None:
        rail = found["size_mib"]
        verdicts.append(_at_most(rail, max(rail.other * (1 + limits.size), limits.size_floor_mib)))
    margins = {"new users": limits.new_users, "cold items": limits.cold_items}
    for part in slices:
        margin = margins[part.name]
        if margin is not None:
            verdicts.append(_no_shown_loss(part, margin))
    return verdicts


def _at_least(rail: Rail, share: float) -> Verdict:
    least = share * rail.other
    passed = rail.own >= least
    reason = f"{_beside(rail)}, {needed(passed)} at least {least:.4f} needed ({share:g} of the champion's)"
    return _rail_verdict(rail, passed, reason, least)


def _at_most(rail: Rail, most: float) -> Verdict:
    passed = rail.own <= most
    return _rail_verdict(rail, passed, f"{_beside(rail)}, {needed(passed)} at most {most:.4f} allowed", most)


def _no_shown_loss(part: Comparison, margin: float) -> Verdict:
    """Pass unless a loss beyond the margin is shown: a slice has too few users to prove there is none."""
    bound = -margin * part.other
    passed = part.difference.high >= bound
    reason = (
        f"over {part.users:,} test users of the slice {part.name} the difference to the champion is "
        f"{with_ends(part.difference)}, {needed(passed)} an upper end of at least {bound:.4f} needed"
    )
    return Verdict(rule=part.name, passed=passed, reason=reason, figures=part.figures() | {"bound": bound})


def _rail_verdict(rail: Rail, passed: bool, reason: str, bound: float) -> Verdict:
    figures = {"own": rail.own, "other": rail.other, "bound": bound}
    return Verdict(rule=rail.name, passed=passed, reason=reason, figures=figures)


def _beside(rail: Rail) -> str:
    return f"{rail.name} is {rail.own:.4f} against {rail.other:.4f} of the champion"
