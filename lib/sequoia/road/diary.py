"""What a run writes about itself: its settings, code and packages in `runs`, its stages in `stage_runs`.

Commands that change something beside the road (rollback, release, clean) are written down as stages are.
Both tables are only ever appended to. Several processes may write rows of one run: the tasks of a workflow.
"""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sequoia.errors import as_user_error
from sequoia.log import LOGGER
from sequoia.provenance import actor, code_version, effective_settings, package_versions, settings_hash
from sequoia.secrets import redact, redact_values

if TYPE_CHECKING:
    from sequoia.road.stage import Context, StageResult

DONE = "done"
FAILED = "failed"
LONGEST_ERROR = 2000


def record_run(context: Context) -> None:
    """Append what this process runs with: everything that decides about results, secrets hidden."""
    # One of an older contract is refused now, not after hours of work.
    context.tables.ensure("stage_runs")
    row = {
        "run_id": context.run_id,
        "started": datetime.now(UTC),
        "command": redact(context.command),
        "actor": actor(),
        "host": platform.node(),
        "code": code_version(),
        "packages": package_versions(),
        "settings_hash": settings_hash(context.config),
        "settings": json.dumps(effective_settings(context.config), sort_keys=True),
    }
    context.tables.add_rows("runs", [row])


def record_stage(context: Context, stage: str, seconds: float, result: StageResult) -> None:
    """Append a stage that ran to its end."""
    details = json.dumps(redact_values(result.details))
    counts = {"rows_in": result.rows_in, "rows_out": result.rows_out}
    row = {**_line(context, stage, seconds, DONE), **counts, "details": details}
    context.tables.add_rows("stage_runs", [row])


def record_failure(context: Context, stage: str, seconds: float, error: BaseException) -> None:
    """Append a stage that failed, with its error; that the diary fails, too, is only logged."""
    mistake = as_user_error(error)
    message = str(mistake or error) or "no message"
    row = {
        **_line(context, stage, seconds, FAILED),
        "details": "{}",
        "error_type": type(mistake or error).__name__,
        "error": redact(message)[:LONGEST_ERROR],
    }
    try:
        context.tables.add_rows("stage_runs", [row])
    except Exception as second:
        reason = (str(second).splitlines() or [type(second).__name__])[0]
        LOGGER.warning("the diary could not be written (%s)", reason)


def _line(context: Context, stage: str, seconds: float, status: str) -> dict[str, Any]:
    return {
        "run_id": context.run_id,
        "stage": stage,
        "status": status,
        "finished": datetime.now(UTC),
        "seconds": seconds,
        "rows_in": None,
        "rows_out": None,
        "error_type": None,
        "error": None,
        "settings_hash": settings_hash(context.config),
        "reads": dict(context.tables.reads),
        "writes": dict(context.tables.writes),
    }
