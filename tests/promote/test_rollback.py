from __future__ import annotations

import pytest
from promote.world import BAD, GOOD, POOR, alias_of, audit, evaluated, train, versions

from sequoia.errors import UserError
from sequoia.promote.rollback import roll_back
from sequoia.promote.stage import run
from sequoia.road.stage import Context
from sequoia.tracking.connection import connect


def three_champions(context: Context) -> None:
    ranks = [BAD.copy() for _ in range(4)]
    for place, values in enumerate(ranks):
        values[: 250 * place] = 1
    for number in (1, 2, 3):
        mark = f"sasrec-{number - 1}" if number > 1 else None
        train(context, f"run{number}", sasrec=number, **({} if mark else {"counting": 1}))
        before = {"champion" if mark else "counting": ranks[number - 1]}
        evaluated(context, mark=mark, sasrec=ranks[number], **before)
        assert run(context).details["model"]["version"] == str(number)


def test_again_and_again_goes_back_further_and_to_goes_anywhere(context: Context) -> None:
    three_champions(context)
    roll_back(context, reason="slow")
    roll_back(context)
    assert alias_of(context) == "1"
    marks = {number: tags.get("rejected") for number, tags in versions(context).items()}
    assert marks == {"1": None, "2": "no reason given", "3": "slow"}
    assert set(versions(context)["3"]) >= {"rejected_at", "rejected_by"}

    with pytest.raises(UserError, match=r"version 1 of sequoia-next-item is the champion already"):
        roll_back(context, to="1")
    with pytest.raises(UserError, match=r"version 9 of sequoia-next-item does not exist"):
        roll_back(context, to="9")

    # Going to a version by name takes its mark away; the one before it is still rejected, and skipped.
    roll_back(context, to="3", reason="was the network")
    marks = {number: tags.get("rejected") for number, tags in versions(context).items()}
    assert marks == {"1": "was the network", "2": "no reason given", "3": None}
    with pytest.raises(UserError, match=r"nothing to roll back to; name a version with --to"):
        roll_back(context)
    actions = [action for action, *_ in audit(context) if action != "intended"]
    assert actions == ["promoted"] * 3 + ["rolled back"] * 3
    reasons = context.tables.read("promotions").where("action = 'rolled back'").orderBy("decided").collect()
    assert [list(row["reasons"]) for row in reasons] == [["slow"], ["no reason given"], ["was the network"]]


def test_a_champion_before_that_was_deleted_is_named(context: Context) -> None:
    train(context, "one", counting=1)
    evaluated(context, counting=POOR)
    run(context)
    train(context, "two", sasrec=2)
    evaluated(context, mark="counting-1", sasrec=GOOD, champion=POOR)
    run(context)
    connect(context.config).client.delete_model_version("sequoia-next-item", "1")
    with pytest.raises(UserError, match=r"version 1, the champion before version 2 .* is gone .*--to"):
        roll_back(context)
    assert alias_of(context) == "2"
