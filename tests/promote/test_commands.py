"""The commands as a person types them: what they print, what they change, and how they end."""

from __future__ import annotations

import json

import pytest
from promote.world import BAD, GOOD, POOR, alias_of, evaluated, train

from sequoia.cli import cli, guarded
from sequoia.promote import intent
from sequoia.promote.stage import run
from sequoia.report.diary import latest_lines, written_lines
from sequoia.road.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect


def sequoia(context: Context, *arguments: str) -> int:
    """Type a command for this workspace; return its exit code."""
    given = [arguments[0], f"workspace={context.config.workspace}", *arguments[1:]]
    try:
        return guarded(lambda: cli(given, prog_name="sequoia"))
    except SystemExit as ended:
        return int(ended.code or 0)


def everything(context: Context) -> object:
    """Return all that a promotion could change: versions with tags, aliases, runs, and table versions."""
    connection = connect(context.config)
    models = connection.client.search_registered_models()
    logged = sorted(path.name for path in (context.config.workspace_path / "mlartifacts").glob("**/*"))
    tables = context.config.workspace_path / "warehouse"
    return (
        [(model.name, dict(model.aliases), dict(model.tags)) for model in models],
        [(one.version, one.tags) for one in connection.client.search_model_versions()],
        logged,
        {path.name: context.tables.version(path.name) for path in tables.iterdir()},
    )


def test_the_exit_code_and_the_dry_run_say_what_promote_would(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    train(context, "one", counting=1)
    evaluated(context, counting=BAD)
    before = everything(context)
    assert sequoia(context, "promote", "--dry-run") == 3
    shown = capsys.readouterr().out
    assert shown.startswith("counting would be refused: alias champion of sequoia-next-item would not move")
    (failed,) = [line for line in shown.splitlines() if "failed: a lower end of at least" in line]
    assert failed.startswith("  counting: ndcg@10 of counting is 0.0000")
    assert everything(context) == before
    assert sequoia(context, "promote") == 3
    assert sequoia(context, "promote", "promote.refused_exit_code=0") == 0

    evaluated(context, counting=POOR)
    before = everything(context)
    assert sequoia(context, "promote", "--dry-run") == 0
    assert "counting would be promoted" in capsys.readouterr().out
    assert everything(context) == before
    assert sequoia(context, "promote") == 0
    assert sequoia(context, "promote", "--dry-run") == 0
    assert "counting is the champion already" in capsys.readouterr().out


def test_rollback_says_why_and_promote_asks_before_it_undoes_that(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    train(context, "one", counting=1)
    evaluated(context, counting=POOR)
    run(context)
    train(context, "two", sasrec=2)
    evaluated(context, mark="counting-1", sasrec=GOOD, champion=POOR)
    run(context)
    assert sequoia(context, "rollback", "--to", "1", "--reason", "too slow") == 0
    assert "moved back from version 2 to version 1" in capsys.readouterr().out
    assert sequoia(context, "promote", "--dry-run") == 3
    assert "(too slow)" in capsys.readouterr().out
    assert sequoia(context, "promote") == 3
    assert alias_of(context) == "1"
    assert sequoia(context, "promote", "--dry-run", "--allow-rejected") == 0
    assert sequoia(context, "promote", "--allow-rejected") == 0
    assert alias_of(context) == "2"
    assert sequoia(context, "rollback", "--to", "zero") == 2

    # Somebody else is at work: told in one sentence, in the dry run as a remark.
    connection = connect(context.config)
    mine = intent.begin(
        connection, action="promoted", alias="champion", run_id="r7", actor="ada", before="2", reason=""
    )
    capsys.readouterr()
    assert sequoia(context, "rollback") == 4
    heading, sentence = capsys.readouterr().err.splitlines()
    assert heading == "==> rollback"
    assert sentence.startswith("sequoia: alias champion of registered model sequoia-next-item is being moved")
    assert sequoia(context, "promote", "--dry-run", "--allow-rejected") == 0
    assert "run r7 of ada" in capsys.readouterr().out
    intent.release(connection, mine)

    assert sequoia(context, "release", "--to", "prod.sequoia.next_item") == 0
    there = registry.find_alias(
        connect(context.config.model_copy(update={"tracking": prod(context)})), "champion"
    )
    assert there is not None
    assert there.fingerprint == "sasrec-2"
    check_diary(context)


def check_diary(context: Context) -> None:
    """See that commands are in the diary, under runs with their settings, and the report passes them over."""
    tables = context.tables
    rows = tables.read("stage_runs").where("stage != 'promote'").orderBy("finished").collect()
    assert [(row["stage"], row["status"], row["error_type"]) for row in rows] == [
        ("rollback", "done", None),
        ("rollback", "failed", "LockHeldError"),
        ("release", "done", None),
    ]
    assert "moved back from version 2 to version 1" in json.loads(rows[0]["details"])["said"]
    assert "is being moved by run r7 of ada" in rows[1]["error"]
    assert set(rows[0]["writes"]) == {"promotions"}
    keys = ["run_id", "settings_hash"]
    known = {tuple(row) for row in tables.read("runs").select(keys).collect()}
    assert {tuple(row[key] for key in keys) for row in rows} <= known
    moved = tables.read("promotions").where("action IN ('rolled back', 'released')").select(keys).collect()
    assert {tuple(row) for row in moved} == {tuple(rows[place][key] for key in keys) for place in (0, 2)}
    assert set(latest_lines(context)) == {line.stage for line in written_lines(context)} == {"promote"}


def prod(context: Context) -> object:
    return context.config.tracking.model_copy(update={"registered_model": "prod.sequoia.next_item"})
