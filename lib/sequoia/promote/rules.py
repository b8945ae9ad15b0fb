"""The gate as plain rules on numbers (numpy only): each says whether it passes, and why in one sentence.

Replacing something takes proof, keeping it does not. A challenger has to be better than counting by more
than chance, champion or not: on a tie counting is the model to run. Against a champion it has to be better
by more than chance, or fresher and not worse by the difference that matters. Guard-rails stop what the
metric does not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sequoia.evaluate.bootstrap import Interval
from sequoia.promote.comparison import Comparison

if TYPE_CHECKING:
    from sequoia.promote.settings import GuardRails, PromoteSettings


BASELINE = "counting"  # what every other model has to beat


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of one rule, with the numbers it is made of."""

    rule: str
    passed: bool
    reason: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Test targets that a model was trained on, and those of which that cannot be told."""

    leaked: int
    untold: int
    users: int


@dataclass(frozen=True, kw_only=True)
class Rail:
    """A side of the models that the metric does not show: the challenger's value and the champion's."""

    name: str
    own: float
    other: float


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
        *guard_rails(champion, settings.guard_rails),
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
    return _verdict("unseen targets", passed, f"{was}, {_needed(passed)} none may be{remedy}", seen)


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
        f"{other.users:,} test users shared with {other.name}, {_needed(passed)} {other.needed:,} needed "
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
    need = f"{_needed(passed)} a lower end of at least {minimum:g} needed"
    reason = f"{settings.metric} of {evidence.challenger} is {_interval(interval)}, {need}"
    figures = {"value": interval.value, "low": interval.low, "high": interval.high, "minimum": minimum}
    return Verdict(rule="minimum", passed=passed, reason=reason, figures=figures)


def better(other: Comparison, settings: PromoteSettings) -> Verdict:
    """Pass when the challenger is better by more than chance; a tie does not pass."""
    passed = other.difference.low > 0
    reason = f"{_gap(other, settings.metric)}, {_needed(passed)} a lower end above 0 needed"
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
    reason = f"{_gap(other, settings.metric)}, {age}, {_needed(passed)} {bound}"
    return Verdict(rule="against the champion", passed=passed, reason=reason, figures=other.figures())


def guard_rails(champion: Champion, rails: GuardRails) -> list[Verdict]:
    """Judge what a new champion may cost: coverage, popularity, latency, size, new users and cold items."""
    found = {rail.name: rail for rail in champion.rails}
    verdicts = []
    if rails.coverage is not None:
        verdicts.append(_at_least(found["coverage@10"], 1 - rails.coverage))
    if rails.popularity is not None:
        rail = found["shown_popularity@10"]
        verdicts.append(_at_most(rail, rail.other + rails.popularity))
    if rails.latency is not None:
        rail = found["latency_p50_ms"]
        verdicts.append(_at_most(rail, max(rail.other * (1 + rails.latency), rails.latency_floor_ms)))
    if rails.size is not None:
        rail = found["size_mib"]
        verdicts.append(_at_most(rail, max(rail.other * (1 + rails.size), rails.size_floor_mib)))
    margins = {"new users": rails.new_users, "cold items": rails.cold_items}
    for part in champion.slices:
        margin = margins[part.name]
        if margin is not None:
            verdicts.append(_no_shown_loss(part, margin))
    return verdicts


def _at_least(rail: Rail, share: float) -> Verdict:
    least = share * rail.other
    passed = rail.own >= least
    reason = f"{_beside(rail)}, {_needed(passed)} at least {least:.4f} needed ({share:g} of the champion's)"
    return _rail_verdict(rail, passed, reason, least)


def _at_most(rail: Rail, most: float) -> Verdict:
    passed = rail.own <= most
    return _rail_verdict(rail, passed, f"{_beside(rail)}, {_needed(passed)} at most {most:.4f} allowed", most)


def _no_shown_loss(part: Comparison, margin: float) -> Verdict:
    """Pass unless a loss beyond the margin is shown: a slice has too few users to prove there is none."""
    bound = -margin * part.other
    passed = part.difference.high >= bound
    reason = (
        f"over {part.users:,} test users of the slice {part.name} the difference to the champion is "
        f"{_interval(part.difference)}, {_needed(passed)} an upper end of at least {bound:.4f} needed"
    )
    return Verdict(rule=part.name, passed=passed, reason=reason, figures=part.figures() | {"bound": bound})


def _rail_verdict(rail: Rail, passed: bool, reason: str, bound: float) -> Verdict:
    figures = {"own": rail.own, "other": rail.other, "bound": bound}
    return Verdict(rule=rail.name, passed=passed, reason=reason, figures=figures)


def _verdict(rule: str, passed: bool, reason: str, seen: Seen) -> Verdict:
    figures = {"leaked": float(seen.leaked), "untold": float(seen.untold), "users": float(seen.users)}
    return Verdict(rule=rule, passed=passed, reason=reason, figures=figures)


def _beside(rail: Rail) -> str:
    return f"{rail.name} is {rail.own:.4f} against {rail.other:.4f} of the champion"


def _needed(passed: bool) -> str:
    return "passed:" if passed else "failed:"


def _gap(other: Comparison, metric: str) -> str:
    return f"{metric} minus that of {other.name} is {_interval(other.difference)}"


def _interval(interval: Interval) -> str:
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
