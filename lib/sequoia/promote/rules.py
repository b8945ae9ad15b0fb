"""The gate as plain rules on numbers (numpy only): each says whether it passes, and why in one sentence.

Without a champion the absolute rules decide, and a baseline stops the challenger only when it is clearly
better: nothing is replaced, so an undecided comparison harms nobody. A champion is replaced only by a
challenger that is better by more than chance, and in no case by one that the baseline matches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequoia.evaluate.bootstrap import Interval

if TYPE_CHECKING:
    from sequoia.promote.settings import PromoteSettings


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of one rule."""

    passed: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Against:
    """The challenger minus another model in the metric, on the same users."""

    name: str
    difference: Interval


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the test split says of a challenger; None where there is nothing to compare with."""

    challenger: str
    users: int
    metric: Interval
    coverage: float
    champion: Against | None
    champion_coverage: float | None
    baseline: Against | None


def judge(evidence: Evidence, settings: PromoteSettings) -> list[Verdict]:
    """Apply all rules that fit; the challenger passes when every verdict does."""
    verdicts = [enough_users(evidence.users, settings.min_users)]
    if evidence.champion is None or evidence.champion_coverage is None:
        verdicts.append(high_enough(evidence.challenger, settings.metric, evidence.metric, settings.minimum))
        if evidence.baseline:
            verdicts.append(not_clearly_worse(evidence.baseline, settings.metric, settings.baseline_margin))
        return verdicts
    verdicts.append(better(evidence.champion, settings.metric, settings.champion_margin))
    if evidence.baseline:
        verdicts.append(better(evidence.baseline, settings.metric, settings.baseline_margin))
    verdicts.append(broad_enough(evidence.coverage, evidence.champion_coverage, settings.min_coverage_ratio))
    return verdicts


def enough_users(users: int, least: int) -> Verdict:
    """Pass when so many test users were evaluated that they decide anything."""
    passed = users >= least
    return Verdict(passed=passed, reason=f"{users:,} test users, {_needed(passed)} at least {least:,} needed")


def high_enough(name: str, metric: str, interval: Interval, minimum: float) -> Verdict:
    """Pass when the lower end of the interval reaches the minimum."""
    passed = interval.low >= minimum
    need = f"{_needed(passed)} a lower end of at least {minimum:g} needed"
    reason = f"{metric} of {name} is {_interval(interval)}, {need}"
    return Verdict(passed=passed, reason=reason)


def better(other: Against, metric: str, margin: float) -> Verdict:
    """Pass when the lower end of the paired difference exceeds minus the margin."""
    passed = other.difference.low > -margin
    reason = f"{_gap(other, metric)}, {_needed(passed)} a lower end above {-margin + 0.0:g} needed"
    return Verdict(passed=passed, reason=reason)


def not_clearly_worse(other: Against, metric: str, margin: float) -> Verdict:
    """Pass unless even the upper end of the paired difference lies below minus the margin."""
    passed = other.difference.high >= -margin
    reason = f"{_gap(other, metric)}, {_needed(passed)} an upper end of at least {-margin + 0.0:g} needed"
    return Verdict(passed=passed, reason=reason)


def broad_enough(coverage: float, champion_coverage: float, ratio: float) -> Verdict:
    """Pass when the challenger recommends at least this share of what the champion recommends."""
    least = ratio * champion_coverage
    passed = coverage >= least
    reason = (
        f"coverage@10 is {coverage:.4f} against {champion_coverage:.4f} of the champion, "
        f"{_needed(passed)} at least {ratio:g} of it ({least:.4f}) needed"
    )
    return Verdict(passed=passed, reason=reason)


def _needed(passed: bool) -> str:
    return "passed:" if passed else "failed:"


def _gap(other: Against, metric: str) -> str:
    return f"{metric} minus that of {other.name} is {_interval(other.difference)}"


def _interval(interval: Interval) -> str:
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
