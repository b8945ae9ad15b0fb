"""Rows of which only what matters to a test is given."""

from __future__ import annotations

from typing import Any

from pyspark.sql.types import ArrayType, FractionalType, MapType, StringType, StructType, TimestampType


def filled_row(schema: StructType, told: dict[str, Any]) -> dict[str, Any]:
    """Return a row with these values; all else is null, or nothing of its type where null is not allowed."""
    assert told.keys() <= set(schema.names), sorted(told.keys() - set(schema.names))
    return {
        field.name: None if field.nullable else nothing(field.dataType)
        for field in schema
        if field.name not in told
    } | told


def nothing(kind: Any) -> Any:
    assert not isinstance(kind, TimestampType), "a time must be given"
    if isinstance(kind, ArrayType):
        return []
    if isinstance(kind, MapType):
        return {}
    if isinstance(kind, FractionalType):
        return 0.0
    return "" if isinstance(kind, StringType) else 0
