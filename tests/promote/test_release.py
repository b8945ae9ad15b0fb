from __future__ import annotations

from dataclasses import replace

import pytest
from promote import killed
from promote.killed import after
from promote.world import GOOD, POOR, evaluated, train

from sequoia.errors import UserError
from sequoia.promote import intent
from sequoia.promote.release import release
from sequoia.promote.rollback import roll_back
from sequoia.promote.stage import run
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import Connection, connect
from sequoia.tracking.registered_folder import fetch_folder

DEV, STAGING, PROD = "sequoia-next-item", "staging.sequoia.next_item", "prod.sequoia.next_item"


def registered(context: Context, name: str) -> Connection:
    return replace(connect(context.config), registered_model=name)


def champion(context: Context, name: str) -> registry.Version | None:
    return registry.find_alias(registered(context, name), "champion")


def numbers(context: Context, name: str) -> list[str]:
    return sorted(registry.numbers(registered(context, name)))


def promote(context: Context) -> None:
    train(context, "one", counting=1)
    evaluated(context, counting=POOR)
    run(context)


def promote_another(context: Context) -> None:
    train(context, "two", sasrec=2)
    evaluated(context, mark="counting-1", sasrec=GOOD, champion=POOR)
    run(context)


def go(context: Context, source: str, target: str) -> str:
    return release(context, source=source, target=target, alias="champion")


def test_from_dev_to_staging_to_prod(context: Context) -> None:
    with pytest.raises(UserError, match=r"alias champion of .* sequoia-next-item does not exist"):
        go(context, DEV, STAGING)
    with pytest.raises(UserError, match="cannot be released to itself"):
        go(context, DEV, DEV)
    promote(context)
    assert go(context, DEV, STAGING) == (
        f"alias champion of {STAGING} names version 1 now, which is version 1 of {DEV}; "
        "before it named nothing"
    )
    assert "names that model already, version 1" in go(context, DEV, STAGING)
    promote_another(context)
    go(context, DEV, STAGING)
    go(context, STAGING, PROD)
    there = champion(context, PROD)
    assert there is not None
    assert (there.number, there.fingerprint) == ("1", "sasrec-2")
    assert there.tags["released_from"] == f"models:/{STAGING}/2"
    assert there.tags["previous_champion"] == ""

    # Back in staging, whose rejected version goes nowhere any more; prod has its own alias and versions.
    roll_back(at(context, STAGING), reason="odd")
    assert numbers(context, STAGING) == ["1", "2"]
    with pytest.raises(UserError, match=r"version 2 of staging.* rolled back at .*\(odd\), is not released"):
        go(context, DEV, STAGING)
    with pytest.raises(UserError, match="named nothing before version 1 of prod"):
        roll_back(at(context, PROD))
    folder = fetch_folder(registered(context, PROD), there, context.config.workspace_path / "cache")
    assert (folder / "model.json").is_file()
    rows = context.tables.read("promotions").where("action IN ('released', 'unchanged', 'rolled back')")
    found = [(row["registered_model"], row["action"]) for row in rows.orderBy("decided").collect()]
    assert found == [
        (STAGING, "released"),
        (STAGING, "unchanged"),
        (STAGING, "released"),
        (PROD, "released"),
        (STAGING, "rolled back"),
    ]


def at(context: Context, name: str) -> Context:
    tracking = context.config.tracking.model_copy(update={"registered_model": name})
    return Context(context.config.model_copy(update={"tracking": tracking}))


def test_killed_after_copying_it_copies_no_second_time(context: Context) -> None:
    promote(context)

    def die() -> None:
        intent._HELD.clear()
        raise SystemExit(killed.DIED)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(killed.STEPS, "copied", (registry, "copy_version", 1))
        after("copied", die, patch.setattr)
        with pytest.raises(SystemExit):
            go(context, DEV, PROD)
    assert champion(context, PROD) is None
    go(context, DEV, PROD)
    assert numbers(context, PROD) == ["1"]
    there = champion(context, PROD)
    assert there is not None
    assert there.fingerprint == "counting-1"
