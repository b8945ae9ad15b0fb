from __future__ import annotations

import subprocess
import sys

import pytest

from sequoia.config import load_config
from sequoia.evaluate.bootstrap import Interval
from sequoia.promote.rules import Against, Evidence, judge
from sequoia.promote.settings import PromoteSettings


def gate(**changes: float) -> PromoteSettings:
    overrides = [f"promote.{key}={value}" for key, value in changes.items()]
    return load_config(overrides=["promote.minimum=0.02", "promote.min_users=100", *overrides]).promote


def gap(name: str, low: float, high: float) -> Against:
    return Against(name=name, difference=Interval(value=(low + high) / 2, low=low, high=high))


def evidence(
    *,
    users: int = 100,
    low: float = 0.03,
    champion: Against | None = None,
    baseline: Against | None = None,
    coverage: float = 0.4,
) -> Evidence:
    return Evidence(
        challenger="sasrec",
        users=users,
        metric=Interval(value=0.04, low=low, high=0.05),
        coverage=coverage,
        champion=champion,
        champion_coverage=0.8 if champion else None,
        baseline=baseline,
    )


def passes(found: Evidence, settings: PromoteSettings | None = None) -> bool:
    return all(verdict.passed for verdict in judge(found, settings or gate()))


@pytest.mark.parametrize(
    ("users", "low", "expected"), [(100, 0.02, True), (99, 0.03, False), (100, 0.0199, False)]
)
def test_without_a_champion_the_absolute_rules_decide(users: int, low: float, expected: bool) -> None:
    assert passes(evidence(users=users, low=low)) is expected


def test_without_a_champion_only_a_clearly_better_baseline_stops_the_challenger() -> None:
    assert passes(evidence(baseline=gap("counting", -0.02, 0.001)))
    assert not passes(evidence(baseline=gap("counting", -0.02, -0.001)))
    assert passes(evidence(baseline=gap("counting", -0.02, -0.001)), gate(baseline_margin=0.001))


def test_with_a_champion_the_challenger_must_be_better_by_more_than_chance() -> None:
    assert passes(evidence(champion=gap("champion", 0.001, 0.02)))
    assert not passes(evidence(champion=gap("champion", -0.001, 0.02)))
    assert passes(evidence(champion=gap("champion", -0.001, 0.02)), gate(champion_margin=0.002))


def test_an_equal_challenger_does_not_replace_the_champion() -> None:
    assert not passes(evidence(champion=gap("champion", 0.0, 0.0)))


def test_with_a_champion_the_minimum_no_longer_matters_but_users_and_baseline_do() -> None:
    better = gap("champion", 0.001, 0.02)
    assert passes(evidence(champion=better, low=0.0))
    assert not passes(evidence(champion=better, users=99))
    assert not passes(evidence(champion=better, baseline=gap("counting", -0.001, 0.02)))


def test_a_challenger_that_recommends_too_few_items_is_refused() -> None:
    better = gap("champion", 0.001, 0.02)
    assert passes(evidence(champion=better, coverage=0.4))
    assert not passes(evidence(champion=better, coverage=0.39))


def test_reasons_are_sentences_with_numbers() -> None:
    found = judge(evidence(users=99, champion=gap("champion", -0.001, 0.021)), gate())
    assert [verdict.reason for verdict in found] == [
        "99 test users, failed: at least 100 needed",
        "ndcg@10 minus that of champion is 0.0100 [-0.0010, 0.0210], failed: a lower end above 0 needed",
        "coverage@10 is 0.4000 against 0.8000 of the champion, passed: at least 0.5 of it (0.4000) needed",
    ]
    (_, minimum) = judge(evidence(), gate())
    assert minimum.reason == (
        "ndcg@10 of sasrec is 0.0400 [0.0300, 0.0500], passed: a lower end of at least 0.02 needed"
    )


def test_rules_and_metrics_need_numpy_only() -> None:
    script = (
        "import sys\n"
        "from sequoia.promote import rules\n"
        "from sequoia.evaluate import bootstrap, metrics, ranking\n"
        "heavy = {'pyspark', 'pandas', 'pyarrow', 'torch', 'mlflow', 'pydantic', 'scipy', 'yaml'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
