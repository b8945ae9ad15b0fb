"""Errors that a user sees as one sentence, with their exit codes; all else is a bug and keeps its trace.

Exit codes of every command: 0 done, 1 a bug, 2 the user's mistake, 3 the gate refused, 4 another run holds
the lock.
"""

from __future__ import annotations

from typing import ClassVar

REFUSED = 3


class UserError(ValueError):
    """A mistake the user can mend: one sentence with the value, the bound and the remedy."""

    exit_code: ClassVar[int] = 2


class LockHeldError(UserError):
    """Another run works on the same workspace; the sentence says which one, where, and since when."""

    exit_code: ClassVar[int] = 4


class DivergedError(UserError):
    """A model whose scores are no numbers: it is refused by name, and other models go on."""
