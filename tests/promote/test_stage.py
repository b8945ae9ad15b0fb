"""From no champion to the second and back: each chapter needs the one before."""

from __future__ import annotations

import json

import pytest
from promote.world import BAD, GOOD, POOR, USERS, alias_of, audit, evaluated, train, versions

from sequoia.errors import LockHeldError, UserError
from sequoia.promote import intent, transaction
from sequoia.promote.rollback import roll_back
from sequoia.promote.stage import run
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect


def test_from_no_champion_to_the_second_and_back(context: Context) -> None:
    with pytest.raises(
        UserError, match=r"alias champion of registered model sequoia-next-item does not exist"
    ):
        roll_back(context)

    # Refused: the metric is too low, and nothing is registered.
    train(context, "one", counting=1)
    evaluated(context, counting=BAD)
    result = run(context)
    assert result.details["action"] == "refused"
    assert result.details["model"] == {"name": "sequoia-next-item", "version": None, "alias": "champion"}
    assert any("failed: " in reason for reason in result.details["reasons"])
    assert connect(context.config).client.search_registered_models() == []

    # First champion; the second time nothing changes.
    evaluated(context, counting=POOR)
    assert run(context).details["model"]["version"] == "1"
    assert run(context).details["action"] == "unchanged"

    # A challenger that is the best on validation but not better than the champion by more than chance.
    train(context, "two", sasrec=2)
    with pytest.raises(UserError, match=r"model sasrec with fingerprint sasrec-2 .*sequoia evaluate"):
        run(context)
    evaluated(context, mark="counting-1", sasrec=POOR, champion=POOR)
    refused = run(context)
    assert (refused.details["action"], refused.details["model"]["version"]) == ("refused", "1")
    assert alias_of(context) == "1"

    # A better one is promoted; it is compared with the champion and with the counting baseline.
    train(context, "three", sasrec=3, counting=4)
    evaluated(context, mark="counting-1", sasrec=GOOD, counting=POOR, champion=POOR)
    promoted = run(context)
    assert (promoted.details["challenger"], promoted.details["model"]["version"]) == ("sasrec", "2")

    # Rolled back, it is not promoted again, though it would pass: neither this night nor trained anew.
    said = roll_back(context, reason="recommends what is sold out")
    assert "moved back from version 2 to version 1" in said
    assert alias_of(context) == "1"
    with pytest.raises(UserError, match="named nothing before version 1"):
        roll_back(context)
    train(context, "four", sasrec=3)
    held = run(context)
    assert (held.details["action"], alias_of(context)) == ("refused", "1")
    (reason,) = held.details["reasons"]
    assert "recommends what is sold out" in reason
    assert "promote.allow_rejected=true" in reason

    # Asked for, it takes its version, and makes no new one.
    asked = Context(context.config.model_copy(update={"promote": allowing(context)}))
    evaluated(context, mark="counting-1", sasrec=GOOD, champion=POOR)
    assert run(asked).details["model"]["version"] == "2"
    assert versions(context) == {
        "1": {"fingerprint": "counting-1", "model": "counting", "previous_champion": ""},
        "2": {"fingerprint": "sasrec-3", "model": "sasrec", "previous_champion": "1"},
    }
    assert audit(context) == [
        ("refused", None, None, None),
        ("intended", None, None, None),
        ("promoted", "1", None, "1"),
        ("unchanged", "1", "1", "1"),
        ("refused", None, "1", "1"),
        ("intended", None, "1", None),
        ("promoted", "2", "1", "2"),
        ("intended", "1", "2", None),
        ("rolled back", "1", "2", "1"),
        ("refused", None, "1", "1"),
        ("intended", None, "1", None),
        ("promoted", "2", "1", "2"),
    ]
    check_the_row_says_what_it_was_decided_by(context)


def allowing(context: Context) -> object:
    return context.config.promote.model_copy(update={"allow_rejected": True})


def check_the_row_says_what_it_was_decided_by(context: Context) -> None:
    rows = context.tables.read("promotions").where("action IN ('intended', 'promoted')").orderBy("decided")
    intended, promoted = [row.asDict(recursive=True) for row in rows.collect()][2:4]
    assert intended["intent"] == promoted["intent"]
    assert intended["wanted"] == "promoted"
    for row in (intended, promoted):
        assert (row["fingerprint"], row["champion_fingerprint"]) == ("sasrec-3", "counting-1")
        assert row["metric"] == "ndcg@10"
        assert set(row["figures"]) >= {"sasrec", "champion"}
        assert row["figures"]["sasrec"]["low"] < 0.5 < row["figures"]["sasrec"]["high"]
        assert row["figures"]["sasrec"]["users"] == USERS
        assert {verdict["model"] for verdict in row["verdicts"]} == {"sasrec"}
        assert all(verdict["passed"] for verdict in row["verdicts"])
        assert json.loads(row["settings"])["metric"] == "ndcg@10"
        assert len(row["settings_hash"]) == 16
        assert row["code_version"].startswith("0.")
        assert row["actor"]


def test_an_alias_that_moved_since_the_judgement_is_left_as_it_is(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(context, "one", counting=1)
    evaluated(context, counting=POOR)
    run(context)
    train(context, "two", sasrec=2)
    evaluated(context, mark="counting-1", sasrec=GOOD, champion=POOR)
    connection = connect(context.config)
    register = transaction._carry_out

    def while_registering(*given: object) -> object:
        *others, version = given

        def slowly() -> registry.Version:
            made: registry.Version = version()  # type: ignore[operator]
            by_hand = registry.copy_version(connection, made)
            registry.move_alias(connection, "champion", by_hand)
            return made

        return register(*others, slowly)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_carry_out", while_registering)
        with pytest.raises(LockHeldError, match=r"moved from version 1 to version 3 by another run or user"):
            run(context)
    assert alias_of(context) == "3"
    assert intent.read(connection, "champion") is None
    assert audit(context)[-2:] == [("intended", None, "1", None), ("taken back", None, "1", "3")]
