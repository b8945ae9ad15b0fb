"""Which model the gate lets pass, over real tables and a real registry."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from evaluate.world import train
from promote.evaluated import GOOD, POOR, USERS, evaluated

from sequoia.errors import UserError
from sequoia.modelling.trained import read_trained, refuse_trained
from sequoia.promote.decide import decide
from sequoia.promote.gate import Judgement, judge_models
from sequoia.promote.registration import registered_version
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect

MakeContext = Callable[..., Context]


def judged(context: Context) -> Judgement:
    champion = registry.find_alias(connect(context.config), "champion")
    return judge_models(context, read_trained(context.config.workspace_path), champion)


def crown(context: Context, name: str) -> str:
    """Give the alias to a trained model; return its fingerprint."""
    connection = connect(context.config)
    model = read_trained(context.config.workspace_path)[name]
    registry.move_alias(connection, "champion", registered_version(context, connection, name, model))
    return model.fingerprint


def failed(judgement: Judgement, name: str) -> list[str]:
    return [verdict.rule for verdict in judgement.verdicts[name] if not verdict.passed]


def test_the_gate_from_no_champion_to_one_that_knew_the_answers(make_context: MakeContext) -> None:
    context = make_context()

    # Ahead on validation, but not by more than chance: counting is promoted.
    users = np.arange(USERS)
    train(context, "tie", until=1, counting=1, sasrec=2)
    evaluated(context, counting=POOR, sasrec=np.where((users % 4 == 0) | (users < 4), 1, 50))
    tie = judged(context)
    assert list(tie.verdicts) == ["sasrec", "counting"]
    assert "better than counting" in failed(tie, "sasrec")
    assert (tie.chosen, tie.unchanged, failed(tie, "counting")) == ("counting", False, [])
    assert tie.figures["sasrec"]["users"] == USERS

    # Nothing useful is no champion.
    assert judged(make_context("promote.minimum=0.5")).chosen is None

    # Once it has the alias it is unchanged.
    mark = crown(context, "counting")
    same = judged(make_context("promote.compare_champion=false"))
    assert (same.chosen, same.unchanged) == ("counting", True)

    # A champion that was trained on a third of the targets is compared on the others, where it equals an
    # older and a fresher challenger.
    knew = users % 3 == 0
    train(context, "fresher", until=2, sasrec=3)
    evaluated(context, mark=mark, leaked={"champion": knew}, sasrec=POOR, champion=np.where(knew, 1, POOR))
    fair = judged(context)
    assert fair.chosen == "sasrec"
    reasons = [verdict.reason for verdict in fair.verdicts["sasrec"]]
    assert "the champion was trained on 667 of 2,000 test targets, passed: left out" in reasons
    assert any(reason.startswith("1,333 test users shared with champion") for reason in reasons)
    rules = [verdict.rule for verdict in fair.verdicts["sasrec"]]
    assert rules[-6:] == [
        *("coverage@10", "shown_popularity@10", "latency_p50_ms", "size_mib"),
        *("new users", "cold items"),
    ]
    train(context, "as old", until=1, sasrec=3)
    assert failed(judged(context), "sasrec") == ["against the champion"]

    # Where that cannot be told nothing is decided, unless one asks for it.
    evaluated(context, mark=mark, untold=("champion",), sasrec=GOOD, champion=POOR)
    assert failed(judged(context), "sasrec") == ["champion's unseen targets"]
    asked = judged(make_context("promote.compare_champion=false"))
    assert asked.verdicts["sasrec"][0].rule == "champion"
    assert failed(asked, "sasrec") == ["something to beat"]

    # A model that is not sound is refused by name.
    refuse_trained(context.config.workspace_path, {"sasrec": "it scores NaN"})
    refused = judged(context)
    assert (refused.chosen, failed(refused, "sasrec")) == (None, ["sound"])
    decision = decide(context, connect(context.config), {})
    assert (decision.action, decision.reasons) == ("refused", ["sasrec is not sound, failed: it scores NaN"])

    # A model that nobody evaluated since is not judged at all.
    train(context, "new", until=3, sasrec=10)
    with pytest.raises(UserError, match=r"model sasrec with fingerprint sasrec-10 was not evaluated"):
        judged(context)

    # Without the champion it takes counting to beat.
    train(context, "both", until=1, counting=5, sasrec=3)
    evaluated(context, mark=mark, untold=("champion",), counting=POOR, sasrec=GOOD, champion=POOR)
    assert judged(make_context("promote.compare_champion=false")).chosen == "sasrec"


def test_models_of_other_users_are_not_compared(make_context: MakeContext) -> None:
    context = make_context()
    train(context, "one", until=1, counting=1, sasrec=2)
    evaluated(context, counting=POOR, sasrec=GOOD)
    ranks = context.tables.read("ranks").where("NOT (model = 'counting' AND user_id = 5)")
    context.tables.overwrite("ranks", ranks)
    with pytest.raises(UserError, match=r"were evaluated on other users: run `sequoia evaluate` again"):
        judged(context)
