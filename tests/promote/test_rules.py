from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from sequoia.config import load_config
from sequoia.evaluate.bootstrap import Interval
from sequoia.promote.comparison import Comparison
from sequoia.promote.guard_rails import Rail
from sequoia.promote.rules import Champion, Evidence, Seen, enough_users, judge
from sequoia.promote.settings import PromoteSettings

CLEAN = Seen(leaked=0, untold=0, users=1000)
RAILS = {"coverage@10": 0.5, "shown_popularity@10": 0.7, "latency_p50_ms": 10.0, "size_mib": 100.0}


def gate(*overrides: str) -> PromoteSettings:
    return load_config(overrides=[f"promote.{override}" for override in overrides]).promote


def gap(name: str, low: float, high: float, *, users: int = 1000, other: float = 0.10) -> Comparison:
    middle = (low + high) / 2
    return Comparison(
        name=name,
        users=users,
        own=other + middle,
        other=other,
        difference=Interval(value=middle, low=low, high=high),
        step=0.05 * other,
        needed=500,
        needed_least=450,
    )


def in_use(comparison: Comparison, **changes: Any) -> Champion:
    rails = {**RAILS, **changes.pop("rails", {})}
    values: dict[str, Any] = {
        "seen": CLEAN,
        "fresher": True,
        "until": "2018-10-01",
        "rails": [Rail(name=name, own=own, other=RAILS[name]) for name, own in rails.items()],
        "slices": [],
    }
    return Champion(comparison=comparison, **{**values, **changes})


def evidence(
    challenger: str = "sasrec",
    *,
    low: float = 0.03,
    seen: Seen = CLEAN,
    baseline: Comparison | None = None,
    champion: Champion | None = None,
) -> Evidence:
    interval = Interval(value=0.04, low=low, high=0.05)
    return Evidence(
        challenger=challenger,
        metric=interval,
        seen=seen,
        until="2018-10-02",
        baseline=baseline,
        champion=champion,
    )


def failed(found: Evidence, settings: PromoteSettings | None = None) -> list[str]:
    return [verdict.rule for verdict in judge(found, settings or gate()) if not verdict.passed]


def test_counting_with_nothing_to_compare_with_has_to_reach_the_minimum() -> None:
    assert failed(evidence("counting", low=0.001)) == []
    assert failed(evidence("counting", low=0.0009)) == ["minimum"]
    assert failed(evidence("counting", low=0.02), gate("minimum=0.03")) == ["minimum"]


def test_no_other_model_passes_that_was_compared_with_nothing() -> None:
    assert failed(evidence(low=0.9)) == ["something to beat"]
    assert failed(evidence(low=0.9, baseline=gap("counting", 0.001, 0.02))) == []


@pytest.mark.parametrize(("low", "passed"), [(0.001, True), (0.0, False), (-0.001, False)])
def test_counting_has_to_be_beaten_champion_or_not(low: float, passed: bool) -> None:
    against = gap("counting", low, 0.02)
    assert (failed(evidence(baseline=against)) == []) is passed
    with_champion = evidence(baseline=against, champion=in_use(gap("champion", 0.001, 0.02)))
    assert (failed(with_champion) == []) is passed


def test_too_few_users_decide_only_what_is_larger_than_the_difference_asked_for() -> None:
    assert failed(evidence(baseline=gap("counting", 0.005, 0.09, users=449))) == ["users against counting"]
    # The number itself is an estimate.
    assert failed(evidence(baseline=gap("counting", 0.005, 0.09, users=450))) == []
    said = enough_users(gap("counting", 0.005, 0.09, users=450), gate()).reason
    assert said.endswith("with power 0.8, an estimate whose lower end is 450")
    few = in_use(gap("champion", 0.005, 0.09, users=449))
    assert failed(evidence(champion=few)) == ["users against champion"]
    assert failed(evidence(champion=in_use(gap("champion", 0.0051, 0.09, users=449)))) == []


@pytest.mark.parametrize(
    ("low", "fresher", "passed"),
    [
        (0.001, False, True),  # better
        (0.001, None, True),
        (0.0, False, False),  # a tie of the same age
        (-0.0049, True, True),  # not worse by 5 % of 0.10, and fresher
        (-0.0051, True, False),
        (-0.0049, None, False),  # nobody knows which is fresher
    ],
)
def test_a_champion_is_replaced_by_a_better_or_by_a_fresher_and_no_worse_one(
    low: float, fresher: bool | None, passed: bool
) -> None:
    found = evidence(champion=in_use(gap("champion", low, 0.02), fresher=fresher))
    assert failed(found) == ([] if passed else ["against the champion"])


def test_who_was_trained_on_test_targets_is_not_judged_by_them() -> None:
    assert failed(evidence("counting", seen=Seen(leaked=1, untold=0, users=1000))) == ["unseen targets"]
    assert failed(evidence("counting", seen=Seen(leaked=0, untold=3, users=1000))) == ["unseen targets"]
    better = gap("champion", 0.001, 0.02)
    known = Seen(leaked=40, untold=0, users=1000)
    assert failed(evidence(champion=in_use(better, seen=known))) == []
    unknown = Seen(leaked=0, untold=1000, users=1000)
    assert failed(evidence(champion=in_use(better, seen=unknown))) == ["champion's unseen targets"]


@pytest.mark.parametrize(
    ("rail", "fine", "too_much"),
    [
        ("coverage@10", 0.25, 0.2499),
        ("shown_popularity@10", 0.79, 0.81),
        ("latency_p50_ms", 20.0, 20.1),
        ("size_mib", 200.0, 200.1),
    ],
)
def test_guard_rails_have_margins_and_can_be_taken_down(rail: str, fine: float, too_much: float) -> None:
    better = gap("champion", 0.001, 0.02)
    assert failed(evidence(champion=in_use(better, rails={rail: fine}))) == []
    found = evidence(champion=in_use(better, rails={rail: too_much}))
    assert failed(found) == [rail]
    setting = {"coverage@10": "coverage", "shown_popularity@10": "popularity"}.get(rail, rail.split("_")[0])
    assert failed(found, gate(f"guard_rails.{setting}=null")) == []


def test_what_is_quick_and_small_anyway_may_grow() -> None:
    quick = Champion(
        comparison=gap("champion", 0.001, 0.02),
        seen=CLEAN,
        fresher=False,
        until="2018-10-01",
        rails=[
            Rail(name="coverage@10", own=0.5, other=0.5),
            Rail(name="shown_popularity@10", own=0.5, other=0.5),
            Rail(name="latency_p50_ms", own=4.9, other=0.1),
            Rail(name="size_mib", own=63.0, other=0.5),
        ],
        slices=[],
    )
    assert failed(evidence(champion=quick)) == []


def test_a_slice_stops_a_challenger_whose_loss_there_is_shown() -> None:
    better = gap("champion", 0.001, 0.02)
    unsure = gap("new users", -0.04, -0.009, users=30)  # may be as little as 9 % of 0.10
    shown = gap("new users", -0.04, -0.011, users=30)
    assert failed(evidence(champion=in_use(better, slices=[unsure]))) == []
    assert failed(evidence(champion=in_use(better, slices=[shown]))) == ["new users"]
    assert failed(evidence(champion=in_use(better, slices=[shown])), gate("guard_rails.new_users=null")) == []


def test_reasons_are_sentences_with_numbers_and_figures_hold_them() -> None:
    found = judge(evidence(champion=in_use(gap("champion", -0.006, 0.021))), gate("metric=ndcg@10"))
    reasons = [verdict.reason for verdict in found]
    assert reasons[:5] == [
        "sasrec was trained on 0 of 1,000 test targets, passed: none may be",
        "the champion was trained on 0 of 1,000 test targets, passed: left out",
        "1,000 test users shared with champion, passed: 500 needed to see a difference of 5.0% (0.0050) with "
        "power 0.8",
        "ndcg@10 minus that of champion is 0.0075 [-0.0060, 0.0210], data until 2018-10-02 against "
        "2018-10-01, failed: a lower end above 0, or above -0.0050 with fresher data, needed",
        "coverage@10 is 0.5000 against 0.5000 of the champion, passed: at least 0.2500 needed (0.5 of the "
        "champion's)",
    ]
    assert found[3].figures["difference_low"] == -0.006
    (*_, minimum) = judge(evidence(), gate("minimum=0.02"))
    assert minimum.reason == (
        "ndcg@10 of sasrec is 0.0400 [0.0300, 0.0500], passed: a lower end of at least 0.02 needed"
    )


def test_rules_and_metrics_need_numpy_only() -> None:
    script = (
        "import sys\n"
        "from sequoia.promote import comparison, rules\n"
        "from sequoia.evaluate import bootstrap, metrics, ranking\n"
        "heavy = {'pyspark', 'pandas', 'pyarrow', 'torch', 'mlflow', 'pydantic', 'scipy', 'yaml'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
