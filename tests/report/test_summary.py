from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError
from report.hand_written import FILES, KCORE, diary, metrics

from sequoia.errors import UserError
from sequoia.report.diary import outdated, require_road
from sequoia.report.summarise import ordered_models, result_paths, summarise
from sequoia.report.summary import PathsSummary, Summary
from sequoia.road.stage import Context

PATHS = PathsSummary(warehouse="/shop/warehouse", mlflow="/shop/mlflow.db", report="/shop/report.html")


def test_the_summary_of_a_hand_written_diary() -> None:
    expected = {
        "stages": [
            {"name": "ingest", "seconds": 1.5, "rows_in": 1000, "rows_out": 100},
            {"name": "index", "seconds": 2.5, "rows_in": 2000, "rows_out": 200},
            {"name": "sequences", "seconds": 3.5, "rows_in": 3000, "rows_out": 300},
            {"name": "negatives", "seconds": 4.5, "rows_in": 4000, "rows_out": 400},
            {"name": "train", "seconds": 5.5, "rows_in": 5000, "rows_out": 500},
            {"name": "evaluate", "seconds": 6.5, "rows_in": 6000, "rows_out": 600},
            {"name": "promote", "seconds": 7.5, "rows_in": 7000, "rows_out": 700},
            {"name": "recommend", "seconds": 8.5, "rows_in": 8000, "rows_out": 800},
        ],
        "ingest": {"files": FILES, "users": 800, "items": 230, "interactions": 5900},
        "kcore": KCORE,
        "sequences": {"rows": 210},
        "metrics": {"counting": metrics(0.024), "sasrec": metrics(0.028)},
        "model": {"name": "sequoia-next-item", "version": "3", "alias": "champion"},
        "recommendations": {"users": 800, "k": 10},
        "paths": {
            "warehouse": "/shop/warehouse",
            "mlflow": "/shop/mlflow.db",
            "report": "/shop/report.html",
        },
    }
    assert json.loads(summarise(diary(), PATHS).model_dump_json()) == expected


def test_a_summary_with_another_key_is_refused() -> None:
    values = summarise(diary(), PATHS).model_dump()
    assert Summary.model_validate(values).kcore.rounds == 3
    with pytest.raises(ValidationError, match="surplus"):
        Summary.model_validate({**values, "surplus": 1})


def test_the_model_is_the_one_that_the_later_of_promote_and_recommend_saw() -> None:
    lines = diary()
    promote = lines["promote"]
    said = {**promote.details, "model": {**promote.details["model"], "version": "4"}}
    before = {**lines, "promote": replace(promote, details=said)}
    after = {
        **lines,
        "promote": replace(promote, details=said, finished=promote.finished + timedelta(hours=1)),
    }
    assert summarise(before, PATHS).model.version == "3"
    assert summarise(after, PATHS).model.version == "4"


def test_a_stage_that_said_too_little_is_to_run_again() -> None:
    lines = diary()
    lines["evaluate"] = replace(lines["evaluate"], details={})
    with pytest.raises(UserError, match=r"stage evaluate has no metrics: run `sequoia evaluate` again"):
        summarise(lines, PATHS)


def test_the_first_stage_that_has_not_run_is_named() -> None:
    lines = diary()
    require_road(lines)
    del lines["promote"], lines["negatives"]
    with pytest.raises(UserError, match=r"stage negatives has not run .* run `sequoia negatives`"):
        require_road(lines)


def test_stages_that_did_not_follow_a_new_run_are_named() -> None:
    lines = diary()
    assert outdated(lines) == []
    train = lines["train"]
    lines["train"] = replace(train, finished=train.finished + timedelta(hours=1))
    assert outdated(lines) == ["evaluate", "promote", "recommend"]


def test_train_is_not_late_because_negatives_ran_beside_it() -> None:
    lines = diary()
    negatives, train = lines["negatives"], lines["train"]
    lines["negatives"] = replace(negatives, finished=train.finished + timedelta(seconds=1))
    assert outdated(lines) == []
    lines["sequences"] = replace(lines["sequences"], finished=train.finished + timedelta(seconds=10))
    lines["negatives"] = replace(negatives, finished=train.finished + timedelta(seconds=20))
    assert outdated(lines) == ["train"]


def test_the_baseline_comes_first_and_the_champion_of_before_last() -> None:
    assert ordered_models(["champion", "sasrec", "counting", "gru"]) == [
        "counting",
        "gru",
        "sasrec",
        "champion",
    ]


def test_paths_follow_the_configuration(make_context: Callable[..., Context]) -> None:
    local = make_context().config
    assert result_paths(local).mlflow == str(local.workspace_path / "mlflow.db")
    assert result_paths(local).warehouse == str(local.workspace_path / "warehouse")
    remote = make_context("tables.namespace=main.shop", "tracking.uri=databricks").config
    assert (result_paths(remote).warehouse, result_paths(remote).mlflow) == ("main.shop", "databricks")
