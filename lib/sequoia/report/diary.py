"""The diary of a workspace: what each stage wrote about itself in the table stage_runs.

Commands beside the road write there, too; the report is about the road and passes them over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sequoia.errors import UserError
from sequoia.road.diary import DONE
from sequoia.road.stage import Context
from sequoia.road.stages import ROAD, ancestors

REPORT = "report"
REMEMBERED = 1000
DETAILS = ("details",)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of stage_runs; reads and writes are table versions."""

    stage: str
    run_id: str
    finished: datetime
    seconds: float
    rows_in: int
    rows_out: int
    details: dict[str, Any]
    reads: dict[str, int]
    writes: dict[str, int]

    def says(self, key: str) -> Any:
        """Return one entry of the details; raises UserError when an older stage did not write it."""
        if key not in self.details:
            raise UserError(f"the diary of stage {self.stage} has no {key}: run `sequoia {self.stage}` again")
        return self.details[key]


def latest_lines(context: Context) -> dict[str, Line]:
    """Return the newest line of each stage, whichever run it belongs to, in the order of the road.

    A failed try is none.
    """
    newest = {
        line.stage: line.run_id for line in reversed(_lines(context, {"status": [DONE]}, without=DETAILS))
    }
    # Details of the few runs that these lines are of, not of all that the diary knows.
    where = {"status": [DONE], "run_id": sorted(set(newest.values()))}
    lines = {line.stage: line for line in reversed(_lines(context, where))}
    return {name: lines[name] for name in ROAD if name in lines}


def written_lines(context: Context) -> list[Line]:
    """Return who wrote which table versions: the newest 1,000 lines, newest first, without details.

    Failed tries are among them, as they may have written tables; their rows count as 0.
    """
    return _lines(context, {"stage": list(ROAD)}, without=DETAILS)[:REMEMBERED]


def producer(written: Sequence[Line], table: str, version: int | None) -> Line | None:
    """Return the line of the stage that wrote this version of a table; None when the diary does not know."""
    return next((line for line in written if version is not None and line.writes.get(table) == version), None)


def train_lines(context: Context) -> list[Line]:
    """Return the newest 200 lines of the train stage with what they say of their models, newest first."""
    return _lines(context, {"stage": ["train"], "status": [DONE]})[:200]


def details_of(context: Context, line: Line) -> dict[str, Any]:
    """Return the details of a line that was read without them."""
    same = _lines(context, {"stage": [line.stage], "run_id": [line.run_id], "status": [DONE]})
    return next((found.details for found in same if found.finished == line.finished), {})


def newest_line(context: Context, stage: str) -> Line | None:
    """Return the newest line of a stage with its details, None when it never ended well."""
    return next(iter(_lines(context, {"stage": [stage], "status": [DONE]})), None)


def _lines(
    context: Context, where: Mapping[str, Sequence[str]], *, without: Sequence[str] = ()
) -> list[Line]:
    """Return the lines whose columns hold one of these values, newest first; rows not counted are 0."""
    columns = [name for name in Line.__dataclass_fields__ if name not in without]
    written_by = next(iter(ROAD))
    rows = context.tables.rows("stage_runs", columns=columns, where=where, written_by=written_by)
    lines = [
        Line(
            **{
                **row,
                "details": json.loads(row.get("details", "{}")),
                "rows_in": row["rows_in"] or 0,
                "rows_out": row["rows_out"] or 0,
            }
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: line.finished, reverse=True)


def require_road(lines: Iterable[str]) -> None:
    """Raise UserError with the first stage of the road, before the report, that has not run."""
    present = set(lines)
    for name in ROAD:
        if name not in present and name != REPORT:
            raise UserError(f"stage {name} has not run in this workspace: run `sequoia {name}`, then report")


def outdated(lines: Mapping[str, Line]) -> list[str]:
    """Return the stages that ran before the last run of a stage they build on, in the order of the road."""
    return [
        name
        for name in ROAD
        if name in lines
        and any(
            lines[name].finished < lines[before].finished for before in ancestors(name) if before in lines
        )
    ]
