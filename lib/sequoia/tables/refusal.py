"""What Spark says of a schema that is not there or that this user may not use, as the user's mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors import PySparkException
from pyspark.errors.exceptions.captured import CapturedException

from sequoia.errors import UserError

# Spark 3.5 takes a catalog it does not know for a part of a schema's name, in saveAsTable with an error of no
# name; Databricks calls it by the first two.
NO_CATALOG = {
    *("CATALOG_NOT_FOUND", "NO_SUCH_CATALOG_EXCEPTION"),
    *("REQUIRES_SINGLE_PART_NAMESPACE", "_LEGACY_ERROR_TEMP_1310"),
}
NO_SCHEMA = {"SCHEMA_NOT_FOUND"}
NO_TABLE = {"TABLE_OR_VIEW_NOT_FOUND"}
# Unity Catalog's; the second one comes from its service, as a text.
NO_GRANT = {"INSUFFICIENT_PERMISSIONS", "PERMISSION_DENIED"}
NOT_PRIVILEGED = "42501"
NAME = re.compile(r"\[([A-Z][A-Z0-9_]+)(?:\.\w+)?\]|\b(PERMISSION_DENIED):")
PRIVILEGES = "USE CATALOG, USE SCHEMA, CREATE TABLE, SELECT and MODIFY"


@contextmanager
def told(namespace: str, identifier: str) -> Iterator[None]:
    """Raise UserError when the schema or table cannot be used; every other error passes through."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        sentence = refusal(error, namespace, identifier)
        if sentence is None:
            raise
        raise UserError(sentence) from error


def refusal(error: Exception, namespace: str, identifier: str) -> str | None:
    """Return the sentence for an error of Spark, None for one that is about something else."""
    text = str(error)
    name = _name(error, text)
    if name in NO_GRANT or _state(error, text) == NOT_PRIVILEGED:
        return (
            f"tables.namespace = {namespace} is not open to this user ({_reason(text)}): let its owner grant "
            f"{PRIVILEGES}, or correct the setting"
        )
    if name in NO_CATALOG:
        return (
            f"tables.namespace = {namespace} is no schema of a catalog that this session knows: write "
            "catalog.schema with one that it does, or configure the catalog under spark.conf"
        )
    if name in NO_SCHEMA:
        return (
            f"tables.namespace = {namespace} names a schema that does not exist: create it with "
            "CREATE SCHEMA, or correct the setting"
        )
    if name in NO_TABLE:
        return (
            f"table {identifier} does not exist or is hidden from this user: run the stage that writes "
            "it, or let its owner grant SELECT"
        )
    return None


def _name(error: Exception, text: str) -> str:
    """Return the class of the error, without its subclass; one that did not reach Python is in the text."""
    known = error.getErrorClass() if isinstance(error, PySparkException) else None
    if known:
        return known.partition(".")[0]
    found = NAME.search(text)
    return (found[1] or found[2]) if found else ""


def _state(error: Exception, text: str) -> str:
    known = error.getSqlState() if isinstance(error, CapturedException) else None
    found = re.search(r"SQLSTATE: (\w{5})", text)
    return known or (found[1] if found else "")


def _reason(text: str) -> str:
    """Return what the catalog says is missing, on one line, without names, state and trace."""
    said = re.split(r"\.?\s*(?:SQLSTATE|\n\s*at |JVM stacktrace)", text)[0]
    if found := NAME.search(said):
        said = said[found.end() :]
    return " ".join(said.split())
