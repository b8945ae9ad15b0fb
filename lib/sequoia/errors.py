"""Errors that a user sees as one sentence, with exit codes; everything else is a bug and keeps its trace.

Exit codes of every command: 0 done, 1 a bug, 2 the user's mistake, 3 the gate refused, 4 another run holds
the lock.
"""

from __future__ import annotations

import re
from typing import ClassVar

REFUSED = 3


class UserError(ValueError):
    """A mistake the user can mend: one sentence with the value, the bound and the remedy."""

    exit_code: ClassVar[int] = 2


class LockHeldError(UserError):
    """Another run works on the same workspace; the sentence names it, its machine, and since when."""

    exit_code: ClassVar[int] = 4


class DivergedError(UserError):
    """A model whose scores are no numbers: it is refused by name, and other models go on."""


KINDS = {kind.__name__: kind for kind in (UserError, LockHeldError, DivergedError)}


def as_user_error(error: BaseException) -> UserError | None:
    """Return the user's mistake behind an error, or None for a bug."""
    return error if isinstance(error, UserError) else user_error_in(str(error))


def user_error_in(text: str) -> UserError | None:
    """Return the user's mistake that a stack trace ends with, as from a Spark task or a training process."""
    found = re.search(rf"sequoia\.errors\.({'|'.join(KINDS)}): (.+)", text)
    return KINDS[found.group(1)](found.group(2).strip()) if found else None
