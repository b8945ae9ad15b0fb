"""The gate as plain rules on numbers (numpy only): each says whether it passes, and why in one sentence.

Replacing something takes proof, keeping it does not. A challenger has to be better than counting by more
than chance, champion or not: on a tie counting is the model to run. Against a champion it has to be better
by more than chance, or fresher and not worse by the difference that matters. `guard_rails` stops what
the metric does not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sequoia.evaluate.bootstrap import Interval
from sequoia.promote.comparison import Comparison
from sequoia.promote.guard_rails import Rail, guard_rails
from sequoia.promote.verdict import Verdict, needed, with_ends

if TYPE_CHECKING:
    from sequoia.promote.settings import PromoteSettings


BASELINE = "counting"  # what every other model has to beat


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Test targets that a model was trained on, and those of which that cannot be told."""

    leaked: int
    untold: int
    users: int


@dataclass(frozen=True, kw_only=True)
class Champion:
    """What is known of the model in use, compared with the challenger on the same users.

    fresher: whether the challenger's data go further than the champion's, None when one of them does not say.
    rails: coverage, popularity, latency and size. slices: comparisons over new users and cold items.
    """

    comparison: Comparison
    seen: Seen
    fresher: bool | None
    until: str
    rails: Sequence[Rail]
    slices: Sequence[Comparison]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the test split says of a challenger; None where there is nothing to compare with."""

    challenger: str
    metric: Interval
    seen: Seen
    until: str
    baseline: Comparison | None
    champion: Champion | None


def judge(evidence: Evidence, settings: PromoteSettings) -> list[Verdict]:
    """Apply all rules that fit; the challenger passes when every verdict does."""
    verdicts = [not_trained_on_targets(evidence.challenger, evidence.seen)]
    if evidence.baseline:
        verdicts += [enough_users(evidence.baseline, settings), better(evidence.baseline, settings)]
    champion = evidence.champion
    if champion is None:
        return [*verdicts, *compared(evidence), high_enough(evidence, settings)]
    return [
        *verdicts,
        champion_can_be_compared(champion.seen),
        enough_users(champion.comparison, settings),
        better_or_fresher(evidence.until, champion, settings),
        *guard_rails(champion.rails, champion.slices, settings.guard_rails),
    ]


def not_trained_on_targets(name: str, seen: Seen) -> Verdict:
    """Pass when none of the test targets was in the challenger's training."""
    passed = seen.leaked == 0 and seen.untold == 0
    was = f"{name} was trained on {seen.leaked:,} of {seen.users:,} test targets"
    if seen.untold:
        was = (
            f"it cannot be told whether {name} was trained on {seen.untold:,} of {seen.users:,} test targets"
        )
    remedy = "" if passed else ": the split has changed since, run `sequoia train` again"
    return _verdict("unseen targets", passed, f"{was}, {needed(passed)} none may be{remedy}", seen)


def champion_can_be_compared(seen: Seen) -> Verdict:
    """Pass when it is known which test targets the champion was trained on; those are left out."""
    passed = seen.untold == 0
    if passed:
        reason = (
            f"the champion was trained on {seen.leaked:,} of {seen.users:,} test targets, passed: left out"
        )
    else:
        reason = (
            f"it cannot be told on which of {seen.untold:,} test targets the champion was trained (another "
            "split, and its version of sequences is gone), failed: judge without it by "
            "promote.compare_champion=false"
        )
    return _verdict("champion's unseen targets", passed, reason, seen)


def enough_users(other: Comparison, settings: PromoteSettings) -> Verdict:
    """Pass when there are enough users to see the difference asked for, or a larger one is shown by fewer.

    Enough are as many as the lower end of the estimate: see `comparison`.
    """
    shown = other.difference.low > other.step
    passed = other.users >= other.needed_least or shown
    reason = (
        f"{other.users:,} test users shared with {other.name}, {needed(passed)} {other.needed:,} needed "
        f"to see a difference of {settings.difference:.1%} ({other.step:.4f}) with power {settings.power:g}"
    )
    if passed and other.users < other.needed_least:
        reason += "; fewer have shown a larger one"
    elif passed and other.users < other.needed:
        reason += f", an estimate whose lower end is {other.needed_least:,}"
    elif not passed:
        reason += "; take more users or ask for a larger promote.difference"
    return Verdict(rule=f"users against {other.name}", passed=passed, reason=reason, figures=other.figures())


def compared(evidence: Evidence) -> list[Verdict]:
    """Fail a model other than counting that nothing was compared with: alone, anything looks good."""
    if evidence.baseline or evidence.challenger == BASELINE:
        return []
    reason = (
        f"{evidence.challenger} was compared with nothing, failed: {BASELINE} or a champion needed; let "
        f"training.models name {BASELINE}, too, then train and evaluate"
    )
    return [_verdict("something to beat", False, reason, evidence.seen)]


def high_enough(evidence: Evidence, settings: PromoteSettings) -> Verdict:
    """Pass when the lower end of the metric's own interval reaches the minimum."""
    interval, minimum = evidence.metric, settings.minimum
    passed = interval.low >= minimum
    need = f"{needed(passed)} a lower end of at least {minimum:g} needed"
    reason = f"{settings.metric} of {evidence.challenger} is {with_ends(interval)}, {need}"
    figures = {"value": interval.value, "low": interval.low, "high": interval.high, "minimum": minimum}
    return Verdict(rule="minimum", passed=passed, reason=reason, figures=figures)


def better(other: Comparison, settings: PromoteSettings) -> Verdict:
    """Pass when the challenger is better by more than chance; a tie does not pass."""
    passed = other.difference.low > 0
    reason = f"{_gap(other, settings.metric)}, {needed(passed)} a lower end above 0 needed"
    return Verdict(rule=f"better than {other.name}", passed=passed, reason=reason, figures=other.figures())


def better_or_fresher(until: str, champion: Champion, settings: PromoteSettings) -> Verdict:
    """Pass when the challenger is better by more than chance, or fresher and not worse by what matters."""
    other = champion.comparison
    is_better, not_worse = other.difference.low > 0, other.difference.low > -other.step
    passed = is_better or (not_worse and champion.fresher is True)
    if champion.fresher is None:
        age = f"data until {until} against {champion.until}: which is fresher cannot be told"
    else:
        age = f"data until {until} against {champion.until}"
    bound = f"a lower end above 0, or above {-other.step:.4f} with fresher data, needed"
    reason = f"{_gap(other, settings.metric)}, {age}, {needed(passed)} {bound}"
    return Verdict(rule="against the champion", passed=passed, reason=reason, figures=other.figures())


def _verdict(rule: str, passed: bool, reason: str, seen: Seen) -> Verdict:
    figures = {"leaked": float(seen.leaked), "untold": float(seen.untold), "users": float(seen.users)}
    return Verdict(rule=rule, passed=passed, reason=reason, figures=figures)


def _gap(other: Comparison, metric: str) -> str:
    return f"{metric} minus that of {other.name} is {with_ends(other.difference)}"
