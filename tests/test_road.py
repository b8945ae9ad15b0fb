"""The whole road on a tiny generated corpus, stage after stage in one Spark session, as `sequoia run` does.

One story, told once because every chapter needs the one before: raw files to recommendations, the same
stages again, and new reviews by a shopper whom no training has seen.
"""

from __future__ import annotations

import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.promote.rollback import roll_back
from sequoia.report.diary import latest_lines
from sequoia.report.summary import Summary
from sequoia.report.terminal import show_summary
from sequoia.road.stage import Context
from sequoia.road.stages import ROAD, ancestors
from sequoia.road.walk import run_named
from sequoia.synthetic.corpus import write_corpus

SMALL = [
    *(
        "synthetic.users=4000",
        "synthetic.themes=8",
        "synthetic.active_share=0.16",
        "synthetic.block_users=2000",
    ),
    *(
        "training.epochs=2",
        "training.validation_users=200",
        "models.sasrec.width=16",
        "models.sasrec.blocks=1",
    ),
    *("models.counting.window=[2]", "models.counting.last=[3]", "models.counting.decay=[0.7]"),
    *("features.items=[category, brand, price, age]", "features.events=[gap, rating]"),
    *("negatives.candidates=20", "evaluate.bootstrap_samples=100", "recommend.sample_users=2"),
]
NEWCOMER = "A0NEWCOMER00001"


@pytest.fixture(scope="module")
def walked(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, int]:
    """Walk the road once, over raw files in a folder; return with it how many queries Spark ran meanwhile."""
    folder = tmp_path_factory.mktemp("road")
    config = load_config(overrides=[f"workspace={folder / 'ws'}", f"ingest.raw={folder / 'raw'}", *SMALL])
    write_corpus(folder / "raw", config.synthetic)
    context, before = Context(config), count_queries(spark)
    for name in ROAD:
        run_named(name, context)
    return context, count_queries(spark) - before


@pytest.fixture(scope="module")
def road(walked: tuple[Context, int]) -> Context:
    return walked[0]


def count_queries(spark: SparkSession) -> int:
    return int(spark._jsparkSession.sharedState().statusStore().executionsCount())


@pytest.mark.skipif(
    find_spec("deltalake") is None, reason="without the package deltalake Spark writes and commits the tables"
)
def test_text_files_become_recommendations_without_a_query_of_spark_s(
    spark: SparkSession, walked: tuple[Context, int]
) -> None:
    assert walked[1] == 0
    before = count_queries(spark)
    spark.range(3).count()
    assert count_queries(spark) == before + 1


def summary(context: Context) -> Summary:
    return Summary.model_validate_json((context.config.workspace_path / "summary.json").read_text())


def test_the_summary_accounts_for_every_line_and_row(road: Context) -> None:
    told = summary(road)
    assert [stage.name for stage in told.stages] == list(ROAD)
    assert all(file.lines == file.kept + file.quarantined + file.duplicates for file in told.ingest.files)
    assert {file.name for file in told.ingest.files} == {path.name for path in (raw_folder(road)).iterdir()}
    assert told.ingest.interactions == road.tables.read("interactions").count()
    assert told.sequences.rows == told.kcore.users == road.tables.read("sequences").count() > 50
    assert told.recommendations.users == told.ingest.users


def raw_folder(context: Context) -> Path:
    assert context.config.ingest.raw is not None
    return Path(context.config.ingest.raw)


def test_the_core_is_a_core(road: Context) -> None:
    events = road.tables.read("sequences").select("user_id", F.explode("items").alias("item"))
    for key in ("user_id", "item"):
        assert events.groupBy(key).count().agg(F.min("count")).first()[0] >= 5  # type: ignore[index]


def test_both_models_are_measured_on_the_same_users_and_beat_chance(road: Context) -> None:
    told = summary(road)
    assert set(told.metrics) == {"counting", "sasrec"}
    chance = 10 / told.kcore.items
    assert told.metrics["counting"]["hr@10"].value > 3 * chance
    users = road.tables.read("ranks").groupBy("model", "split").agg(F.countDistinct("user_id").alias("users"))
    assert {row["users"] for row in users.collect()} == {told.kcore.users}


def test_every_user_gets_new_items_from_the_version_behind_the_alias(road: Context) -> None:
    told = summary(road)
    assert told.model.version == "1"
    recommended = road.tables.read("recommendations")
    assert [row["version"] for row in recommended.select("version").distinct().collect()] == ["1"]
    given = recommended.select("user", F.explode("items").alias("item"))
    seen = given.join(road.tables.read("interactions"), on=["user", "item"], how="left_semi")
    assert recommended.count() == told.ingest.users
    assert seen.count() == 0
    assert recommended.where(F.size("items") != told.recommendations.k).count() == 0


def test_every_stage_read_only_what_it_builds_on(road: Context) -> None:
    lines = latest_lines(road)
    writer = {table: stage for stage, line in lines.items() for table in line.writes}
    for stage, line in lines.items():
        read_from = {writer[table] for table in line.reads if table in writer} - {stage}
        assert read_from <= ancestors(stage), stage
    assert {"interactions", "sequences", "negatives", "metrics", "recommendations"} <= writer.keys()


def test_the_same_stages_again_change_nothing(road: Context, capsys: pytest.CaptureFixture[str]) -> None:
    before = {
        table: sorted_rows(road, table) for table in ("interactions", "items", "user_index", "negatives")
    }
    versions = {table: road.tables.version(table) for table in ("interactions", "recommendations")}
    for name in ("ingest", "index", "sequences", "negatives", "train", "evaluate", "promote", "recommend"):
        run_named(name, road)
    # New versions of its tables with the rows of before: nothing to train.
    told = capsys.readouterr().err
    assert [kind for kind in ("counting", "sasrec") if f"{kind}: taken from {kind}-" in told] == [
        "counting",
        "sasrec",
    ]
    assert {table: sorted_rows(road, table) for table in before} == before
    assert {table: road.tables.version(table) for table in versions} == versions
    actions = road.tables.read("promotions").orderBy("decided").select("action").collect()
    assert [row["action"] for row in actions] == ["intended", "promoted", "unchanged"]


def sorted_rows(context: Context, table: str) -> list[str]:
    return sorted(str(row) for row in context.tables.read(table).collect())


def test_a_shopper_who_came_after_training_is_served_from_the_sequence_alone(road: Context) -> None:
    known = road.tables.read("vocabulary").orderBy(F.desc("events")).limit(3).collect()
    lines = [
        {
            "reviewerID": NEWCOMER,
            "asin": row["item"],
            "overall": 5.0,
            "unixReviewTime": 1500000000 + 86400 * day,
        }
        for day, row in enumerate(known)
    ]
    with gzip.open(raw_folder(road) / "late_arrivals.json.gz", "wt") as file:
        file.write("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("ingest", "recommend"):
        run_named(name, road)
    served = road.tables.read("recommendations").where(F.col("user") == NEWCOMER).first()
    assert served is not None
    assert served["basis"] == "sequence"
    assert len(served["items"]) == 10
    assert not {row["item"] for row in known} & set(served["items"])


def test_a_refused_first_champion_ends_in_a_report_that_says_why(road: Context) -> None:
    overrides = ["promote.minimum=0.99", "promote.alias=nobody", "recommend.alias=nobody"]
    raw = [f"workspace={road.config.workspace}", f"ingest.raw={road.config.ingest.raw}"]
    context = Context(load_config(overrides=[*raw, *SMALL, *overrides]))
    for name in ("promote", "recommend", "report"):
        run_named(name, context)
    told = summary(context)
    assert (told.model.version, told.model.alias, told.recommendations.users) == (None, "nobody", 0)
    page = (context.config.workspace_path / "report.html").read_text()
    assert "No version has the alias nobody" in page
    assert "There is no champion yet, so nobody has recommendations." in page
    assert "failed: a lower end of at least 0.99 needed" in page
    show_summary(context)
    for name in ("promote", "recommend", "report"):
        run_named(name, road)
    assert summary(road).model.version == "1"


def test_there_is_nothing_to_roll_back_to_after_one_promotion(road: Context) -> None:
    with pytest.raises(UserError, match="champion"):
        roll_back(road)
    assert "version 1" in Path(road.config.workspace_path / "report.html").read_text().lower()
