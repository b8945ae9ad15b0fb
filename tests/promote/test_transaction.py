"""Killed after any step and run again, a promotion ends as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from promote import killed
from promote.killed import DIED, STEPS, after
from promote.world import GOOD, POOR, alias_of, audit, evaluated, train, versions

from sequoia.modelling.trained import read_trained
from sequoia.promote import intent
from sequoia.promote.audit import Decision
from sequoia.promote.registration import registered_version
from sequoia.promote.rollback import roll_back
from sequoia.promote.stage import run
from sequoia.promote.transaction import move, settle
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect


class Killed(BaseException):
    """Ends a run where it stands: nothing catches it, as nothing catches a kill."""


def die() -> None:
    intent._HELD.clear()  # a process that is gone holds nothing
    raise Killed


def promote(context: Context, connection: Connection, name: str) -> None:
    """Promote a trained model as the stage does, whatever the gate would say."""
    settle(context, connection, "champion")
    before = registry.find_alias(connection, "champion")
    model = read_trained(context.config.workspace_path)[name]
    if before is not None and before.fingerprint == model.fingerprint:
        return
    decision = Decision(
        action="promoted",
        registered_model=connection.registered_model,
        alias="champion",
        challenger=name,
        fingerprint=model.fingerprint,
        champion_before=before.number if before else None,
        champion_after=before.number if before else None,
        reasons=["better"],
        figures={name: {"value": 0.5, "low": 0.4, "high": 0.6, "users": 200}},
    )
    move(context, connection, decision, partial(registered_version, context, connection, name, model))


def first_champion(context: Context, connection: Connection) -> None:
    """Let the alias name the counting model, without a word in the audit."""
    model = read_trained(context.config.workspace_path)["counting"]
    version = registered_version(context, connection, "counting", model)
    registry.set_tag(connection, version, registry.PREVIOUS, "")
    registry.move_alias(connection, "champion", version)


def state(connection: Connection) -> list[tuple[str, dict[str, str], list[str]]]:
    """Return number, tags and aliases of each version, without what names runs and intents."""
    client = connection.client
    found = client.search_model_versions(f"name = '{connection.registered_model}'")
    passing = ("intent", "training_run", "registered_by_run")
    return [
        (
            str(one.version),
            {key: value for key, value in one.tags.items() if key not in passing},
            list(client.get_model_version(one.name, one.version).aliases),
        )
        for one in sorted(found, key=lambda one: int(one.version))
    ]


UNDISTURBED = [
    ("1", {"fingerprint": "counting-1", "model": "counting", "previous_champion": ""}, []),
    ("2", {"fingerprint": "sasrec-2", "model": "sasrec", "previous_champion": "1"}, ["champion"]),
]


def check_as_undisturbed(context: Context, connection: Connection, step: str) -> list[str]:
    assert state(connection) == UNDISTURBED, step
    assert intent.read(connection, "champion") is None, step
    of_model = f"registered_model = '{connection.registered_model}' AND champion_before = '1'"
    rows = context.tables.read("promotions").where(of_model).orderBy("decided").collect()
    actions = [row["action"] for row in rows if row["intent"]]
    ended = [row["intent"] for row in rows if row["action"] in ("promoted", "taken back")]
    assert len(ended) == len(set(ended)), (step, actions)
    assert {row["intent"] for row in rows if row["intent"]} == set(ended), (step, actions)
    (promoted,) = [row for row in rows if row["action"] == "promoted"]
    assert (promoted["version"], promoted["champion_after"]) == ("2", "2")
    assert (promoted["challenger"], promoted["fingerprint"]) == ("sasrec", "sasrec-2")
    assert promoted["figures"]["sasrec"]["low"] < promoted["figures"]["sasrec"]["high"]
    return actions


def test_killed_after_any_step_the_next_run_finishes_or_takes_back(context: Context) -> None:
    train(context, "one", counting=1, sasrec=2)
    seen = {}
    for place, step in enumerate(STEPS):
        connection = replace(connect(context.config), registered_model=f"shop-{place}")
        first_champion(context, connection)
        with pytest.MonkeyPatch.context() as patch:
            after(step, die, patch.setattr)
            with pytest.raises(Killed):
                promote(context, connection, "sasrec")
        promote(context, connection, "sasrec")
        seen[step] = check_as_undisturbed(context, connection, step)
    undone, finished = ["intended", "taken back", "intended", "promoted"], ["intended", "promoted"]
    assert seen == {
        **dict.fromkeys(list(STEPS)[1:5], undone),
        "intent claimed": undone[1:],
        **dict.fromkeys(list(STEPS)[5:], finished),
    }


def ready_to_promote(context: Context) -> None:
    """Make counting-1 the champion, with a better challenger evaluated beside it."""
    train(context, "one", counting=1)
    evaluated(context, counting=POOR)
    run(context)
    train(context, "two", sasrec=2)
    evaluated(context, mark="counting-1", sasrec=GOOD, champion=POOR)


@pytest.mark.parametrize("step", [pytest.param("version registered", marks=pytest.mark.long), "alias moved"])
def test_a_process_that_is_gone_holds_nobody_up(context: Context, step: str) -> None:
    ready_to_promote(context)
    command = [sys.executable, str(Path(killed.__file__)), str(context.config.workspace_path), step]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == DIED, done.stderr
    left = intent.read(connect(context.config), "champion")
    assert left is not None
    assert left.run_id == "killed"
    run(context)
    check_as_undisturbed(context, connect(context.config), step)
    reasons = [reason for row in context.tables.read("promotions").collect() for reason in row["reasons"]]
    assert any("by run killed of" in reason or "run killed of" in reason for reason in reasons)


def test_a_rollback_that_was_killed_is_settled_by_the_next_run(context: Context) -> None:
    train(context, "one", counting=1, sasrec=2)
    connection = connect(context.config)
    first_champion(context, connection)
    for step, before in (("version tagged", "2"), ("alias moved", "1"), ("versions marked", "1")):
        promote(context, connection, "sasrec")
        with pytest.MonkeyPatch.context() as patch:
            after(step, die, patch.setattr)
            with pytest.raises(Killed):
                roll_back(context, reason="sold out")
        assert alias_of(context) == before
        settle(context, connection, "champion")
        if alias_of(context) == "2":  # it was taken back
            assert "rejected" not in versions(context)["2"]
            roll_back(context, reason="sold out")
        assert (alias_of(context), versions(context)["2"]["rejected"]) == ("1", "sold out")
        assert audit(context)[-1] == ("rolled back", "1", "2", "1")


def test_an_error_on_the_way_is_told_and_what_had_begun_is_taken_back_at_once(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(context, "one", counting=1, sasrec=2)
    connection = connect(context.config)
    first_champion(context, connection)

    def full(*given: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(registry, "move_alias", full)
        with pytest.raises(OSError, match="no space left"):
            promote(context, connection, "sasrec")
    assert intent.read(connection, "champion") is None
    promote(context, connection, "sasrec")
    actions = check_as_undisturbed(context, connection, "error")
    assert actions == ["intended", "taken back", "intended", "promoted"]


def test_what_another_workspace_settled_is_closed_in_the_own_audit(context: Context) -> None:
    train(context, "one", counting=1, sasrec=2)
    connection = connect(context.config)
    first_champion(context, connection)
    with pytest.MonkeyPatch.context() as patch:
        after("alias moved", die, patch.setattr)
        with pytest.raises(Killed):
            promote(context, connection, "sasrec")
    registry.drop_model_tag(connection, intent.tag("champion"))  # the other workspace's last step
    promote(context, connection, "sasrec")
    assert audit(context)[-2:] == [("intended", None, "1", None), ("promoted", "2", "1", "2")]
