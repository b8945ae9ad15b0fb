"""The road and what each stage of it builds on."""

from __future__ import annotations

from sequoia.road.stages import BUILDS_ON, ROAD, ancestors


def test_the_road_runs_every_stage_after_those_it_builds_on() -> None:
    assert list(BUILDS_ON) == list(ROAD)
    done: set[str] = set()
    for stage in ROAD:
        assert ancestors(stage) <= done, stage
        done.add(stage)


def test_ancestors_reach_back_to_the_raw_files() -> None:
    assert ancestors("ingest") == set()
    assert ancestors("train") == {"ingest", "index", "sequences"}
    assert ancestors("report") == set(ROAD) - {"report"}
