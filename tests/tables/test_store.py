"""Tables: contracts are enforced, versions pinned and noted, older schemas refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.road.stage import Context
from sequoia.spark import in_session
from sequoia.tables import spark_tables
from sequoia.tables.contracts import contract, table_names
from sequoia.tables.snapshot import take_snapshot

MakeContext = Callable[..., Context]


def vocabulary(context: Context, rows: list[tuple[int, int, str, int]]) -> None:
    context.tables.overwrite("vocabulary", frame(context, rows))


def frame(context: Context, rows: list[tuple[int, int, str, int]]) -> DataFrame:
    """Return rows of the vocabulary whose items have no features."""
    whole = [(*row, 1, 1, 0, 0.0, 0) for row in rows]
    return context.spark.createDataFrame(whole, context.tables.schema("vocabulary"))


def test_every_contract_creates_a_table_with_comments_and_constraints(make_context: MakeContext) -> None:
    context = make_context()
    assert len(table_names()) >= 20
    for table in table_names():
        terms = contract(table)
        assert all(field.metadata.get("comment") for field in context.tables.schema(table)), table
        assert terms.version >= 1
    for table in ("events", "training"):  # one with many constraints, one with partitions; all share the code
        context.tables.ensure(table)
        present = {key.split(".")[-1] for key in context.tables.properties(table) if "constraints" in key}
        assert present == {name.lower() for name in contract(table).constraints} != set()


def test_rows_that_break_a_constraint_are_refused_and_nothing_is_written(make_context: MakeContext) -> None:
    context = make_context()
    vocabulary(context, [(2, 7, "a", 1)])
    with pytest.raises(Exception, match="row_leaves_room_for_padding_and_unknown"):
        vocabulary(context, [(1, 7, "a", 1)])
    assert context.tables.read("vocabulary").count() == 1


def test_versions_read_and_written_are_noted(make_context: MakeContext) -> None:
    context = make_context()
    vocabulary(context, [(2, 7, "a", 1)])
    first = context.tables.writes["vocabulary"]
    vocabulary(context, [(2, 7, "a", 1), (3, 8, "b", 1)])
    assert context.tables.read("vocabulary").count() == 2
    assert context.tables.reads["vocabulary"] == context.tables.writes["vocabulary"] == first + 1
    assert context.tables.read("vocabulary", version=first).count() == 1


def test_a_table_that_was_never_written_names_the_stage_to_run(make_context: MakeContext) -> None:
    with pytest.raises(UserError, match=r"vocabulary` does not exist: run sequences first"):
        make_context().tables.read("vocabulary", written_by="sequences")


def test_a_table_of_an_older_schema_is_refused_with_the_remedy(make_context: MakeContext) -> None:
    context = make_context()
    vocabulary(context, [(2, 7, "a", 1)])
    name = context.tables.identifier("vocabulary")
    context.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('sequoia.schemaVersion' = '0')")
    later = make_context()
    with pytest.raises(UserError, match="schema version 0, sequoia writes version 3: move it away"):
        later.tables.read("vocabulary")
    with pytest.raises(UserError, match="schema version 0"):
        vocabulary(later, [(2, 7, "a", 1)])


def test_a_snapshot_lists_only_the_files_of_its_version(make_context: MakeContext) -> None:
    context = make_context()
    vocabulary(context, [(2, 7, "a", 1), (3, 8, "b", 1)])
    vocabulary(context, [(2, 7, "a", 1)])
    pinned = take_snapshot(context.tables, "vocabulary")
    assert pinned.rows == 1
    assert pinned.version == context.tables.version("vocabulary")
    assert sum(context.spark.read.parquet(file.path).count() for file in pinned.files) == 1


@pytest.fixture
def schema(spark: SparkSession, tmp_path: Path) -> Iterator[str]:
    """A schema whose name SQL takes in back-ticks only."""
    spark.sql(f"CREATE SCHEMA `2018` LOCATION 'file://{tmp_path / 'catalog'}'")
    yield "spark_catalog.2018"
    spark.sql("DROP SCHEMA `2018` CASCADE")


def test_a_catalog_s_tables_have_every_name_quoted(make_context: MakeContext, schema: str) -> None:
    context = make_context(f"tables.namespace={schema}")
    assert not context.tables.exists("vocabulary")
    vocabulary(context, [(2, 7, "a", 1)])
    vocabulary(context, [(2, 7, "a", 1), (3, 8, "b", 1)])
    assert context.tables.read("vocabulary").count() == 2
    context.spark.sql(f"RESTORE TABLE {context.tables.identifier('vocabulary')} TO VERSION AS OF 1")
    assert context.tables.read("vocabulary").count() == 1
    assert take_snapshot(context.tables, "vocabulary").version == context.tables.version("vocabulary") == 3
    assert context.tables.properties("vocabulary")["sequoia.schemaVersion"] == "3"
    assert context.tables.identifier("vocabulary").endswith("`2018`.`vocabulary`")


def test_a_catalog_s_tables_are_written_from_threads_of_their_own(
    make_context: MakeContext, schema: str
) -> None:
    context = make_context(f"tables.namespace={schema}")
    rows = frame(context, [(2, 7, "a", 1)])
    # Nothing in this thread tells Spark which session is its own.
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(in_session(lambda: context.tables.overwrite("vocabulary", rows)))
    assert written.result() == 1
    assert context.tables.read("vocabulary").count() == 1


def test_files_that_only_the_catalog_may_open_are_copied_once_per_version(
    make_context: MakeContext, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context(f"tables.namespace={schema}")
    vocabulary(context, [(2, 7, "a", 1), (3, 8, "b", 1)])
    monkeypatch.setattr(spark_tables, "is_mounted", lambda uri: False)
    pinned, again = (take_snapshot(context.tables, "vocabulary") for _ in range(2))
    assert pinned == again
    copied = context.spark.read.parquet(*[file.path for file in pinned.files])
    assert sorted(row["item"] for row in copied.collect()) == ["a", "b"]
    exports = context.config.workspace_path / "snapshots"
    assert all(str(exports) in file.path for file in pinned.files)

    # Another table of the name comes to have a version of the same number.
    context.spark.sql(f"DROP TABLE {context.tables.identifier('vocabulary')}")
    vocabulary(context, [(2, 9, "c", 1)])
    other = take_snapshot(context.tables, "vocabulary")
    assert (other.version, other.rows) == (pinned.version, 1)


@pytest.mark.parametrize(
    ("property_", "sentence"),
    [
        ("'delta.enableDeletionVectors' = 'true'", "allows deletion vectors, which readers of plain Parquet"),
        (
            "'delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', "
            "'delta.minWriterVersion' = '5'",
            "has column mapping mode name",
        ),
    ],
)
def test_unsafe_tables_are_refused(make_context: MakeContext, property_: str, sentence: str) -> None:
    context = make_context()
    vocabulary(context, [(2, 7, "a", 1)])
    name = context.tables.identifier("vocabulary")
    context.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ({property_})")
    with pytest.raises(UserError, match=sentence):
        take_snapshot(context.tables, "vocabulary")


def test_rows_hidden_by_a_deletion_vector_are_noticed(make_context: MakeContext) -> None:
    context = make_context()
    vocabulary(context, [(row, row, str(row), 1) for row in range(2, 12)])
    name = context.tables.identifier("vocabulary")
    context.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    context.spark.sql(f"DELETE FROM {name} WHERE row = 3")
    context.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')")
    with pytest.raises(UserError, match="has 9 rows but its files hold 10"):
        take_snapshot(context.tables, "vocabulary")


def test_a_file_that_was_changed_behind_the_log_is_noticed(make_context: MakeContext) -> None:
    context = make_context()
    vocabulary(context, [(2, 7, "a", 1), (3, 8, "b", 1)])
    file = take_snapshot(context.tables, "vocabulary").files[0]
    pq.write_table(pq.read_table(file.path).slice(1), file.path)
    with pytest.raises(UserError, match="has 2 rows but its files hold 1"):
        take_snapshot(context.tables, "vocabulary")


@pytest.mark.parametrize("in_catalog", [False, True])
def test_a_write_names_its_run(make_context: MakeContext, schema: str, in_catalog: bool) -> None:
    context = make_context(*([f"tables.namespace={schema}"] if in_catalog else []))
    vocabulary(context, [(2, 7, "a", 1)])
    history = context.spark.sql(f"DESCRIBE HISTORY {context.tables.identifier('vocabulary')}")
    notes = [row["userMetadata"] for row in history.where(F.col("operation") == "WRITE").collect()]
    assert notes == [f'{{"run_id": "{context.run_id}"}}']
