"""The fingerprint of rows says whether they are the same, and nothing else."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from sequoia.tables.content import content_fingerprint, content_of

COLUMNS = {
    "user": pa.int64(),
    "first": pa.list_(pa.int32()),
    "second": pa.list_(pa.int32()),
    "brand": pa.string(),
    "maker": pa.string(),
}
ROWS: list[tuple[Any, ...]] = [
    (1, [1, 2], [3], "a", None),
    (2, [], [4], None, None),
    (3, None, [0], "", "b"),
    (3, None, [0], "", "b"),
]
FIRST, *OTHERS = ROWS


def table(rows: list[tuple[Any, ...]], columns: dict[str, pa.DataType] = COLUMNS) -> pa.Table:
    dicts = [dict(zip(columns, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(dicts, schema=pa.schema(list(columns.items())))


def mark(*parts: pa.Table) -> str:
    return content_fingerprint(content_of([part]) for part in parts)


def test_order_and_files_do_not_matter() -> None:
    whole = mark(table(ROWS))
    assert mark(table(ROWS[::-1])) == mark(table(ROWS[2:]), table([]), table(ROWS[:2])) == whole
    assert mark(table([FIRST, *ROWS]).slice(1)) == whole
    assert content_fingerprint([content_of([table(ROWS[1:]), table(ROWS[:1])]), content_of([])]) == whole
    assert len(whole) == 16


@pytest.mark.parametrize(
    "other",
    [
        [*OTHERS],
        [FIRST, *OTHERS[:2]],  # a row once instead of twice
        [FIRST, *OTHERS, *OTHERS[1:]],  # three and four times instead of once and twice
        [(2, *FIRST[1:]), *OTHERS],
        [(1, [1], [2, 3], "a", None), *OTHERS],  # the same numbers, another end of the array
        [(1, [2, 1], [3], "a", None), *OTHERS],
        [(1, [1, 2], [3], None, "a"), *OTHERS],  # the same text in the next column
        [(1, [1, 2], [3], "a", ""), *OTHERS],
        [FIRST, (2, None, [4], None, None), *OTHERS[1:]],  # no array instead of an empty one
        [],
    ],
)
def test_every_difference_shows(other: list[tuple[Any, ...]]) -> None:
    assert mark(table(other)) != mark(table(ROWS))


def test_names_and_types_of_columns_matter() -> None:
    named = {("made_by" if name == "maker" else name): kind for name, kind in COLUMNS.items()}
    wider = COLUMNS | {"user": pa.int32()}
    assert len({mark(table(ROWS, columns)) for columns in (COLUMNS, named, wider)}) == 3


def test_a_list_that_is_null_is_none_of_no_values() -> None:
    marks = {mark(pa.table({"list": pa.array([one], pa.list_(pa.int32()))})) for one in (None, [], [0])}
    assert len(marks) == 3
