"""How a command ends: a user's mistake as one sentence with its exit code, a bug with its trace and 1."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from sequoia import log
from sequoia.errors import UserError, as_user_error
from sequoia.secrets import redact

BUG = 1


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; what it raises goes to standard error, secrets hidden."""
    try:
        command()
    except Exception as error:
        mistake = as_user_error(error) or _missing_package(error)
        if mistake is not None:
            log.LOGGER.error("%s", mistake, extra=log.FINAL)
            return mistake.exit_code
        if log.is_json():
            log.LOGGER.critical("%s", error, exc_info=True)
        else:
            print(redact(traceback.format_exc()), file=sys.stderr, end="", flush=True)
        return BUG
    return 0


def _missing_package(error: Exception) -> UserError | None:
    name = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else "sequoia"
    if name in ("", "sequoia"):
        return None
    return UserError(f"the package {name} is not installed here: `sequoia doctor` says what to do about it")
