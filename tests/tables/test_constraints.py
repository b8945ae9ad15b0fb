"""The CHECK constraints of the contracts on Arrow rows say what Delta says of the same rows."""

from __future__ import annotations

from contextlib import suppress

import pyarrow as pa
import pytest

from sequoia.tables.check_clause import condition
from sequoia.tables.constraints import check_rows
from sequoia.tables.contracts import contract

ROWS = {
    "a": pa.array([1, 2, None], pa.int64()),
    "b": pa.array([1.0, None, 3.0]),
    "text": pa.array(["x", "y", "z"]),
    "lists": pa.array([[1, 2], [], [3]], pa.list_(pa.int32())),
    "member": pa.array([2, 1, 4], pa.int32()),
}


def held(check: str, **partition: str) -> list[bool]:
    """Say of each row whether the check lets it through."""
    found: list[int] = []
    for row in range(3):
        table = pa.table({name: column.slice(row, 1) for name, column in ROWS.items()})
        with suppress(ValueError):
            check_rows(table, partition, {"one": condition(check)})
            found.append(row)
    return [row in found for row in range(3)]


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("a >= 2", [False, True, False]),  # unknown is no yes
        ("a IS NULL OR a BETWEEN 2 AND 3", [False, True, True]),
        ("b IS NOT NULL", [True, False, True]),
        ("a = 1 AND (b < 2 OR b > 2)", [True, False, False]),
        ("text IN ('x', 'z')", [True, False, True]),
        ("size(lists) <= 1", [False, True, True]),
        ("size(lists) = a", [False, False, False]),
        ("NOT array_contains(lists, member)", [False, True, True]),
    ],
)
def test_a_row_is_let_through_if_the_condition_is_true(check: str, expected: list[bool]) -> None:
    assert held(check) == expected


def test_a_partition_s_value_counts_for_all_of_its_rows() -> None:
    assert held("split IN ('valid', 'test')", split="test") == [True] * 3
    table = pa.table({"a": [1, 2]})
    with pytest.raises(ValueError, match="2 of 2 rows break the constraint known"):
        check_rows(table, {"split": "new"}, {"known": condition("split IN ('valid', 'test')")})


@pytest.mark.parametrize(
    "table",
    [
        *("events", "products", "interactions", "items", "quarantine", "item_index", "user_index"),
        *("category_index", "brand_index", "sequences", "sessions", "vocabulary", "training", "negatives"),
    ],
)
def test_the_constraints_of_every_table_that_tasks_write_can_be_checked(table: str) -> None:
    for check in contract(table).constraints.values():
        assert condition(check)


def test_what_no_contract_uses_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError, match="Like"):
        condition("text LIKE 'x%'")
