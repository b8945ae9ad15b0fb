"""The outcome of one rule of the gate, and how its reason is worded."""

from __future__ import annotations

from dataclasses import dataclass, field

from sequoia.evaluate.bootstrap import Interval


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of one rule, with the numbers it is made of."""

    rule: str
    passed: bool
    reason: str
    figures: dict[str, float] = field(default_factory=dict)


def needed(passed: bool) -> str:
    """Return what stands before the bound in a reason."""
    return "passed:" if passed else "failed:"


def with_ends(interval: Interval) -> str:
    """Return a value with the ends of its interval."""
    return f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]"
