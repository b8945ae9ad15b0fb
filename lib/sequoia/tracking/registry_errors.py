"""What the registry's errors mean: this entry does not exist, or the registry cannot be asked.

Stores word a missing entry differently (a missing alias: INVALID_PARAMETER_VALUE from a database and from the
server before it, RESOURCE_DOES_NOT_EXIST from Unity Catalog), and use the same codes for other mistakes. So a
code alone never means "missing": `registry.find_alias` looks a second time, at the registered model itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sequoia.errors import UserError
from sequoia.secrets import redact
from sequoia.tracking.connection import Connection

SHOWN = 200
# Databases answer through these, and MLflow does not wrap all of their errors.
STORES = ("alembic", "mlflow", "requests", "sqlalchemy", "sqlite3", "urllib3")


@contextmanager
def asking(connection: Connection) -> Iterator[None]:
    """Turn whatever the registry fails with into one sentence with its address, secrets hidden."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not _of_the_store(error):
            raise
        raise UserError(
            f"the registry at {redact(connection.registry_uri)} did not answer as it should "
            f"({_first_line(error)}): see that it runs and that tracking.uri and tracking.registry_uri "
            "name it, then run the command again"
        ) from error


def error_code(error: Exception) -> str:
    """Return MLflow's code of an error, or nothing for another kind of error."""
    return str(getattr(error, "error_code", ""))


def _of_the_store(error: Exception) -> bool:
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError | ImportError) or bool(modules & set(STORES))


def _first_line(error: Exception) -> str:
    text = redact(" ".join(str(error).partition("\n")[0].split())) or type(error).__name__
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
