"""A CHECK of `schemas/*.sql`, taken apart by the driver for tasks, which then need no parser."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import sqlglot
from sqlglot import exp

from sequoia.tables.constraints import Condition


def condition(check: str) -> Condition:
    """Take a CHECK apart; raises NotImplementedError for what no table that tasks write has asked so far."""
    return _apart(sqlglot.parse_one(check, read="databricks"))


def _apart(node: exp.Expr) -> Condition:
    if isinstance(node, exp.Not):
        return ("invert", _apart(node.this))
    if type(node) not in WAYS:
        raise NotImplementedError(f"a CHECK with {type(node).__name__}: {node.sql()}")
    return WAYS[type(node)](node)


def _of_both(operator: str) -> Callable[[exp.Expr], Condition]:
    return lambda node: (operator, _apart(node.this), _apart(node.args["expression"]))


def _literal(node: exp.Expr) -> Condition:
    return ("value", node.this if node.args["is_string"] else int(node.this))


def _between(node: exp.Expr) -> Condition:
    value, low, high = (_apart(node.args[name]) for name in ("this", "low", "high"))
    return ("and_kleene", ("greater_equal", value, low), ("less_equal", value, high))


def _in(node: exp.Expr) -> Condition:
    value = _apart(node.this)
    each: list[Condition] = [("equal", value, _apart(one)) for one in node.args["expressions"]]
    return reduce(lambda one, other: ("or_kleene", one, other), each)


WAYS: dict[type[exp.Expr], Callable[[exp.Expr], Condition]] = {
    exp.Paren: lambda node: _apart(node.this),
    exp.Column: lambda node: ("column", node.name),
    exp.Literal: _literal,
    exp.And: _of_both("and_kleene"),
    exp.Or: _of_both("or_kleene"),
    exp.Is: lambda node: ("is_null", _apart(node.this)),
    exp.EQ: _of_both("equal"),
    exp.GT: _of_both("greater"),
    exp.GTE: _of_both("greater_equal"),
    exp.LT: _of_both("less"),
    exp.LTE: _of_both("less_equal"),
    exp.Between: _between,
    exp.In: _in,
    exp.ArraySize: lambda node: ("list_value_length", _apart(node.this)),
    exp.ArrayContains: _of_both("contains"),
}
