from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from report.hand_written import diary

from sequoia.report.summarise import summarise
from sequoia.report.summary import PathsSummary
from sequoia.report.terminal import render_summary
from sequoia.report.text_table import WIDTH, shorten, text_table

PATHS = PathsSummary(warehouse="/shop/warehouse", mlflow="/shop/mlflow.db", report="/shop/report.html")


def rendered() -> list[str]:
    return render_summary(summarise(diary(), PATHS), diary()).splitlines()


def cells(start: str) -> list[str]:
    """Return the cells of the first line that starts like this."""
    return next(line for line in rendered() if line.startswith(start)).split()


def test_every_number_stands_in_its_column() -> None:
    assert cells("ratings_Tools.csv") == ["ratings_Tools.csv", "5,200", "5,000", "0", "200"]
    assert cells("all interactions")[2:] == ["800", "230", "5,900"]
    assert cells("5-core after 3 rounds")[4:] == ["210", "85", "1,900"]
    assert cells("train") == ["train", "5,000", "500", "5.5"]
    assert cells("total") == ["total", "40.0"]


def test_models_stand_beside_the_baseline_with_intervals() -> None:
    assert cells("Metric") == ["Metric", "counting", "(baseline)", "sasrec"]
    assert cells("hr@1 ") == ["hr@1", "0.0240", "[0.0200,", "0.0280]", "0.0280", "[0.0240,", "0.0320]"]
    assert cells("coverage@10") == ["coverage@10", "0.3162", "0.3162"]


def test_sampled_metrics_are_marked_as_such() -> None:
    lines = rendered()
    place = next(n for n, line in enumerate(lines) if line.startswith("Sampled ranking, uniform"))
    assert "not comparable with full ranking" in lines[place]
    assert lines[place + 3].split()[:2] == ["hr@10", "0.3479"]


def test_the_decision_and_the_places_are_there() -> None:
    text = "\n".join(rendered())
    assert "version 3 has the alias champion" in text
    assert "Promotion: sasrec promoted\n  - 210 test users, passed: at least 20 needed" in text
    assert "Tables  /shop/warehouse\nMLflow  /shop/mlflow.db\nReport  /shop/report.html" in text


def test_shoppers_are_shown_by_title_where_one_is_known() -> None:
    lines = rendered()
    place = lines.index("Shopper A1XQ")
    assert lines[place + 1] == "   had  Hand trowel"
    assert lines[place + 5] == "     2  B000001"
    assert lines[place + 13].startswith("    10  Garden")


def test_no_line_is_wider_than_the_terminal() -> None:
    assert max(map(len, rendered())) <= WIDTH


def test_many_files_are_summed_up() -> None:
    lines = diary()
    file = {"name": "part.json", "lines": 3, "kept": 1, "quarantined": 1, "duplicates": 1}
    said = {**lines["ingest"].details, "files": [file] * 25}
    lines["ingest"] = replace(lines["ingest"], details=said)
    text = render_summary(summarise(lines, PATHS), lines)
    row = next(line for line in text.splitlines() if line.startswith("5 more files"))
    assert row.split() == ["5", "more", "files", "15", "5", "5", "5"]


def test_stages_left_behind_are_named() -> None:
    lines = diary()
    assert "Not run again" not in render_summary(summarise(lines, PATHS), lines)
    train = lines["train"]
    lines["train"] = replace(train, finished=train.finished + timedelta(hours=1))
    assert "before them was: evaluate, promote, recommend" in render_summary(summarise(lines, PATHS), lines)


def test_a_table_gives_way_in_its_first_column_only() -> None:
    lines = text_table(["File", "rows"], [["x" * 200, "1,234,567"]])
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[2].endswith("x...  1,234,567")


def test_titles_cannot_steer_the_terminal() -> None:
    assert shorten("red\x1b[31m\r\nline", 40) == "red [31m line"
    assert shorten("abcdefgh", 6) == "abc..."
