"""A namespace that cannot be used: one sentence with the setting and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyspark.errors import AnalysisException, UnsupportedOperationException

from sequoia.cli import cli
from sequoia.errors import UserError
from sequoia.guard import guarded
from sequoia.report.gone import reason_gone
from sequoia.road.stage import Context
from sequoia.tables.refusal import refusal, told

MakeContext = Callable[..., Context]
NAME = ("shop.night", "`shop`.`night`.`runs`")
NO_CATALOG = "is no schema of a catalog that this session knows: write catalog.schema with one that it does"
NO_SCHEMA = "names a schema that does not exist: create it with CREATE SCHEMA, or correct the setting"


@pytest.mark.parametrize(
    ("namespace", "sentence"),
    [
        ("nowhere.shop", NO_CATALOG),
        ("spark_catalog.nowhere", NO_SCHEMA),
        ("nowhere", NO_SCHEMA),
        ("spark_catalog", NO_CATALOG),
        ("a.b.c", NO_CATALOG),
    ],
)
def test_a_mistyped_namespace_is_one_sentence_and_exit_code_2(
    make_context: MakeContext, namespace: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context()
    _ = context.spark  # the session that the command finds
    workspace = f"workspace={context.config.workspace}"
    arguments = ["ingest", workspace, f"tables.namespace={namespace}", "ingest.raw=generated"]
    assert guarded(lambda: cli(arguments, prog_name="sequoia")) == 2
    heading, said = capsys.readouterr().err.splitlines()
    assert heading == "==> ingest"
    assert said.startswith(f"sequoia: tables.namespace = {namespace} {sentence}")
    assert [path.name for path in context.config.workspace_path.iterdir()] == [".lock"]


def test_every_way_to_a_table_tells_it(make_context: MakeContext) -> None:
    """Spark has another error for the same mistake in each of them."""
    context = make_context("tables.namespace=nowhere.shop")
    tables = context.tables
    rows = context.spark.createDataFrame([], tables.schema("runs"))
    tables._checked.add("runs")
    tables.exists = lambda table: True  # type: ignore[method-assign]
    ways: list[Callable[[], object]] = [
        lambda: tables.version("runs"),
        lambda: tables.properties("runs"),
        lambda: tables.read("runs", version=0),
        lambda: tables.append("runs", rows),
    ]
    for way in ways:
        with pytest.raises(UserError, match=r"tables\.namespace = nowhere\.shop is no schema"):
            way()


@pytest.mark.parametrize(
    "words",
    [
        "[INSUFFICIENT_PERMISSIONS] Insufficient privileges:\n{reason}. SQLSTATE: 42501",
        "[UC_SOMETHING.NEW] {reason}. SQLSTATE: 42501",
        "An error occurred while calling o48.sql.\n: com.databricks.sql.managedcatalog.acl.Unauthorized"
        "AccessException: PERMISSION_DENIED: {reason}.\n\tat com.databricks.Client.call(Client.scala)",
    ],
)
def test_a_missing_grant_is_told_with_what_the_catalog_says(words: str) -> None:
    """In the words of Databricks: no other Spark has grants."""
    reason = "User does not have USE SCHEMA on Schema 'shop.night'"
    sentence = refusal(AnalysisException(words.format(reason=reason)), *NAME)
    assert sentence is not None
    assert sentence.startswith("tables.namespace = shop.night is not open to this user (")
    assert f"{reason}): let its owner grant USE CATALOG, USE SCHEMA, CREATE TABLE, SELECT" in sentence
    assert "\n" not in sentence
    assert "42501" not in sentence
    assert reason_gone(UserError(sentence)) is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("[NO_SUCH_CATALOG_EXCEPTION] Catalog 'shop' was not found. SQLSTATE: 42704", NO_CATALOG),
        ("[SCHEMA_NOT_FOUND] The schema `shop`.`night` cannot be found. SQLSTATE: 42704", NO_SCHEMA),
        ("[TABLE_OR_VIEW_NOT_FOUND] It cannot be found. SQLSTATE: 42P01", "does not exist or is hidden"),
    ],
)
def test_what_is_not_there_is_told_in_databricks_words_too(words: str, sentence: str) -> None:
    assert sentence in str(refusal(AnalysisException(words), *NAME))


def test_a_table_that_has_gone_is_still_known_to_the_report() -> None:
    sentence = refusal(AnalysisException("[TABLE_OR_VIEW_NOT_FOUND] It cannot be found."), *NAME)
    assert reason_gone(UserError(str(sentence))) == "gone: the table does not exist any more"


@pytest.mark.parametrize(
    "error",
    [
        AnalysisException("[DELTA_TABLE_NOT_FOUND] no SCHEMA_NOT_FOUND in brackets"),
        UnsupportedOperationException("Permission denied: /mnt/shop"),
        UserError("[SCHEMA_NOT_FOUND] told already"),
        OSError("disk full"),
    ],
)
def test_every_other_error_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, told(*NAME):
        raise error
    assert raised.value is error
