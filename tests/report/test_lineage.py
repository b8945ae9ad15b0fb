from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from report.hand_written import diary, origin, scored

from sequoia.report.diary import producer
from sequoia.report.lineage import chain, interactions_of
from sequoia.report.origin import UNKNOWN, described, remembered_scores
from sequoia.tracking.registry import Version
from sequoia.tracking.runs import RunTags


def facts(titles: list[str] | None = None) -> dict[str, dict[str, str]]:
    steps = chain(scored(), origin(), list(diary().values()))
    return {step.title: dict(step.facts) for step in steps if titles is None or step.title in titles}


def test_each_link_names_what_it_was_made_from() -> None:
    found = facts()
    assert list(found) == [
        "Recommendations",
        "Registered model",
        "MLflow run",
        "Training rows",
        "Sequences",
        "Interactions",
    ]
    assert found["Recommendations"]["Written by run"] == "run1, 2026-01-05 09:30 UTC"
    assert found["Registered model"]["Version"] == "3 of sequoia-next-item"
    assert found["Training rows"]["Table"] == "training, version 2"
    assert found["Sequences"]["Table"] == "sequences, version 4"
    assert found["Sequences"]["Ids from"] == "item_index, version 0, user_index, version 0"
    assert found["Interactions"]["Written by run"] == "run1, 2026-01-05 09:30 UTC"


def test_an_old_champion_leads_to_the_tables_it_was_trained_on() -> None:
    old = diary()["sequences"]
    new = replace(old, run_id="run2", reads={"interactions": 7}, writes={"sequences": 9, "training": 8})
    written = [new, old]
    assert producer(written, "training", 2) is old
    assert interactions_of(written, origin()) == 1
    assert interactions_of(written, replace(origin(), training_version=8)) == 7


def test_recommendations_that_are_gone_are_told_by_the_line_that_wrote_them() -> None:
    wrote = diary()["recommend"]
    kept = replace(wrote, run_id="run2", finished=wrote.finished + timedelta(days=1))
    kept = replace(kept, reads={"recommendations": 3, "interactions": 1}, writes={})
    found = remembered_scores(kept, [kept, wrote], "gone: dropped")
    assert (found.table_version, found.run_id, found.recommended) == (3, "run1", wrote.finished)
    assert (found.interactions_version, found.gone) == (1, "gone: dropped")


def test_what_the_diary_does_not_know_is_said() -> None:
    steps = chain(scored(), replace(origin(), training_version=None), list(diary().values()))
    found = {step.title: dict(step.facts) for step in steps}
    assert found["Training rows"]["Table"] == "training, version unknown"
    assert found["Sequences"]["Table"] == "not in the diary"
    assert found["Interactions"]["Table"] == "interactions, version unknown"


def test_tags_of_the_version_and_its_run_give_the_origin() -> None:
    version = Version(
        name="shop", number="3", tags={"fingerprint": "5a", "model": "sasrec", "training_run": "run-sasrec"}
    )
    values = {
        "sequoia.training_version": "2",
        "sequoia.training_data": "f00d",
        "sequoia.training_rows": "205",
    }
    tags = RunTags(values=values, deleted=False)
    assert described(version, "sqlite:////shop/mlflow.db", tags) == origin()


def test_a_version_registered_by_hand_has_an_unknown_origin() -> None:
    found = described(Version(name="shop", number="3", tags={}), "sqlite:////shop/mlflow.db", None)
    assert (found.kind, found.mlflow_run, found.training_version) == (UNKNOWN, UNKNOWN, None)
