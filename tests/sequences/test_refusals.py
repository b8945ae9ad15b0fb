"""The sentences of the sequences stage's refusals."""

from __future__ import annotations

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.sequences.core import Core, Round
from sequoia.sequences.refusals import check_core, check_days, check_index

SETTINGS = load_config(overrides=["sequences.max_rounds=2", "sequences.split=time"]).sequences


def core(*interactions: int, settled: bool) -> Core:
    rounds = [Round(users=size // 5, items=size // 5, interactions=size) for size in interactions]
    return Core(users=[], items="", rounds=rounds, settled=settled)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (core(0, settled=True), "0 interactions have a user"),
        (
            core(1000, 20, 0, settled=True),
            "of 1,000 interactions nothing is left after 2 rounds of the 5-core",
        ),
        (core(1000, 90, 70, settled=False), r"70 of 1,000 are left\): raise sequences.max_rounds"),
    ],
)
def test_a_core_that_is_no_core_is_refused(found: Core, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_core(found, SETTINGS)


def test_two_days_are_too_few_for_a_time_split() -> None:
    with pytest.raises(UserError, match="needs 3 days with events, the 5-core has 2"):
        check_days({1: 5, 2: 5}, SETTINGS)


def test_what_is_in_order_passes() -> None:
    check_core(core(1000, 90, 90, settled=True), SETTINGS)
    check_days({1: 5, 2: 5, 3: 1}, SETTINGS)
    check_days({1: 5}, load_config().sequences)
    check_index(indexed=7, interactions=7)
