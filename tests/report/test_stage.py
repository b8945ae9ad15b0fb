from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from report.hand_written import FILES, START, append_lines, decisions, diary, origin, rounds
from tables.filled import filled_row

from sequoia.errors import UserError
from sequoia.report import lineage, stage
from sequoia.report.gone import Reader
from sequoia.report.shapes import count_shapes
from sequoia.report.summary import Summary
from sequoia.report.terminal import show_summary
from sequoia.road.stage import Context
from sequoia.road.walk import run_named

DAY = 86_400_000
LATE_2016 = 1_480_550_400_000  # 2016-12-01 00:00 UTC


def write(context: Context, table: str, rows: list[Any]) -> None:
    context.tables.overwrite(table, context.spark.createDataFrame(rows, context.tables.schema(table)))


def write_interactions(context: Context) -> None:
    """Write six interactions of four months."""
    times = [LATE_2016, LATE_2016 + DAY - 1, *(LATE_2016 + days * DAY for days in (31, 31, 40, 100))]
    stars = [5.0, 4.5, 5.0, 1.0, None, 4.0]
    rows = [
        ("u1", f"i{place}", time, rating, None, None, "ratings_Tools.csv")
        for place, (time, rating) in enumerate(zip(times, stars, strict=True))
    ]
    write(context, "interactions", rows)


def write_sequences(context: Context) -> None:
    """Write users with 2, 2 and 60 events."""
    rows = []
    for user, length in enumerate([2, 2, 60], start=2):
        items, times = list(range(2, length + 2)), [LATE_2016 + step for step in range(length)]
        rows.append((user, items, times, [5.0] * length, length, length - 2, length - 2, length - 1))
    write(context, "sequences", rows)


def write_shop(context: Context) -> int:
    """Write the tables that eight stages would have left behind; return the version of recommendations."""
    write_interactions(context)
    write_sequences(context)
    context.tables.replace_rows("kcore", [{"k": 5, **vars(one)} for one in rounds()])
    known = {"format": "reviews", "bytes": 10, "fingerprint": "sum"}
    versions = {"events_version": 0, "products_version": 0}
    accounts = [{**file, **known, **versions, "source": file["name"]} for file in FILES]
    context.tables.replace_rows("files", accounts)
    made_by = {"settings": "{}", "settings_hash": "0", "code_version": "0", "actor": "ada"}
    empty = {"reasons": [], "verdicts": [], "figures": {}, "registered_model": "shop", "alias": "champion"}
    promotions = [{**vars(one), **made_by, **empty, "run_id": "run1"} for one in decisions()]
    promotions.append({**promotions[0], "action": "intended", "intent": "1", "wanted": "promoted"})
    schema = context.tables.schema("promotions")
    context.tables.add_rows("promotions", [filled_row(schema, one) for one in promotions])
    write(context, "recommendations", [("u1", ["i9"], [1.0], "sequence", "shop", "3", 0, "run1", START)])
    lines = diary()
    ingest = replace(lines["ingest"], writes={"interactions": 1, "files": context.tables.writes["files"]})
    # Two runs made it, and the older line of a stage lies behind the newer one.
    older = replace(ingest, run_id="run0", finished=START - timedelta(days=1), rows_in=7)
    newer = replace(lines["recommend"], run_id="run2")
    append_lines(context, *{**lines, "ingest": ingest, "recommend": newer}.values(), older)
    return context.tables.writes["recommendations"]


def test_both_documents_and_the_terminal(
    make_context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context()
    scored = write_shop(context)
    monkeypatch.setattr(lineage, "model_origin", lambda context, version: origin())
    result = run_named("report", context)
    assert (result.rows_in, result.rows_out) == (6, 2)

    target = context.config.workspace_path / "summary.json"
    alone = Summary.model_validate_json(target.read_text(encoding="utf-8"))
    assert alone.stages[-1].name == "report"
    assert alone.stages[0].rows_in == 1000
    assert alone.kcore.interactions == 1900

    shapes = count_shapes(context, Reader())
    assert shapes.events == {"2016-12": 2, "2017-01": 3, "2017-02": 0, "2017-03": 1}
    assert shapes.stars == {"1": 1, "2": 0, "3": 0, "4": 2, "5": 2, "unrated": 1}
    assert shapes.lengths == {2: 2, 50: 1}

    page = (context.config.workspace_path / "report.html").read_text(encoding="utf-8")
    assert f"recommendations, version {scored}" in page
    assert page.count("<td>ratings_Tools.csv</td>") == 2

    show_summary(context)
    completed = Summary.model_validate_json(target.read_text(encoding="utf-8"))
    assert [line.name for line in completed.stages] == [*diary(), "report"]
    assert completed.stages[-1].seconds >= alone.stages[-1].seconds
    assert completed.model_copy(update={"stages": []}) == alone.model_copy(update={"stages": []})
    assert "all interactions" in capsys.readouterr().out
    assert not list(context.config.workspace_path.glob(".*.partial"))


def test_a_missing_stage_is_named_and_nothing_written(
    make_context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context()
    monkeypatch.setattr(stage, "latest_lines", lambda context: {"ingest": diary()["ingest"]})
    with pytest.raises(UserError, match="stage index has not run"):
        stage.run(context)
    assert not context.config.workspace_path.exists()


def test_an_empty_workspace_is_told_where_to_begin(make_context: Callable[..., Context]) -> None:
    with pytest.raises(UserError, match="stage ingest has not run in this workspace"):
        run_named("report", make_context())
