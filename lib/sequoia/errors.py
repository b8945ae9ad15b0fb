"""The one error a user sees as a sentence; everything else is a bug and keeps its stack trace."""

from __future__ import annotations


class UserError(ValueError):
    """A mistake the user can mend: one sentence with the value, the bound and the remedy (exit code 2)."""
