from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from sequoia.errors import LockHeldError
from sequoia.promote import intent
from sequoia.promote.intent import Intent
from sequoia.road.lease import process_started, this_machine
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection


def begin(connection: Connection, run_id: str = "run1", alias: str = "champion") -> Intent:
    return intent.begin(
        connection, action="promoted", alias=alias, run_id=run_id, actor="ada", before=None, reason=""
    )


def test_the_second_is_told_who_is_at_work_until_the_first_has_ended(connection: Connection) -> None:
    first = begin(connection)
    with pytest.raises(LockHeldError, match=r"is being moved by run run1 of ada on .* since 20") as told:
        begin(connection, "run2")
    assert told.value.exit_code == 4
    assert begin(connection, alias="challenger").alias == "challenger"
    intent.release(connection, first)
    assert begin(connection, "run2").run_id == "run2"


def test_of_several_that_begin_at_one_moment_one_wins(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intent, "SETTLE", 0.5)
    registry.set_model_tag(connection, "there", "now")
    for _ in range(3):
        won: list[Intent] = []
        told: list[str] = []
        start = Barrier(4)

        def rival(name: str, won: list[Intent], told: list[str], start: Barrier) -> None:
            start.wait()
            try:
                won.append(begin(connection, name))
            except LockHeldError as error:
                told.append(str(error))

        rivals = [Thread(target=rival, args=(f"run{n}", won, told, start)) for n in range(4)]
        for thread in rivals:
            thread.start()
        for thread in rivals:
            thread.join()
        assert (len(won), len(told)) == (1, 3)
        intent.release(connection, won[0])


def test_whoever_was_overtaken_notices_and_leaves_the_other_intent_alone(connection: Connection) -> None:
    first = begin(connection)
    second = intent.claim(connection, first)
    with pytest.raises(LockHeldError):
        intent.require(connection, first)
    intent.release(connection, first)
    intent.require(connection, second)


def test_an_intent_lives_as_long_as_its_process(connection: Connection) -> None:
    mine = begin(connection)
    assert intent.alive(mine, "other")
    intent.let_go(mine)  # as where an exception ended it: the process lives on, the attempt does not
    assert not intent.alive(mine, "other")

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    theirs = replace(mine, process=child.pid, process_started=process_started(child.pid) or "")
    assert intent.alive(theirs, "other")
    assert not intent.alive(
        replace(theirs, process_started="1"), "other"
    )  # another process has the number now
    child.communicate(b"\n")
    assert not intent.alive(theirs, "other")


def test_of_another_machine_an_intent_lives_until_its_lease_ends_or_its_run_is_tried_again() -> None:
    soon, past = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (5, -5))
    elsewhere = Intent(
        id="1",
        action="promoted",
        alias="champion",
        run_id="run1",
        actor="ada",
        since="",
        before=None,
        machine=f"not {this_machine()}",
        process=1,
        process_started="1",
        until=soon.isoformat(),
    )
    assert intent.alive(elsewhere, "run2")
    assert not intent.alive(elsewhere, "run1")
    assert not intent.alive(replace(elsewhere, until=past.isoformat()), "run2")


def test_a_tag_that_nobody_can_read_holds_nobody_up(connection: Connection) -> None:
    registry.set_model_tag(connection, intent.tag("champion"), "whatever")
    standing = intent.read(connection, "champion")
    assert standing is not None
    assert not intent.alive(standing, "run1")


def test_the_tag_fits_into_unity_catalog(connection: Connection) -> None:
    assert intent.tag("champ-ion") == "intent_champ_ion"
    with_reason = replace(begin(connection), reason="ü" * intent.REASON, actor="a" * 100)
    intent.write(connection, with_reason)
    assert len(registry.model_tags(connection)["intent_champion"]) <= registry.TAG_VALUE
