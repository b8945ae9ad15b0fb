"""The diary of a workspace: what each stage wrote about itself in the table stage_runs.

Commands beside the road write there, too; the report is about the road and passes them over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from sequoia.errors import UserError
from sequoia.road.diary import DONE
from sequoia.road.stage import Context
from sequoia.road.stages import ROAD, ancestors

REPORT = "report"
REMEMBERED = 1000


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
    diary = context.tables.read("stage_runs", written_by=next(iter(ROAD)))
    diary = diary.where(F.col("status") == DONE).select(*Line.__dataclass_fields__)
    newest = diary.groupBy("stage").agg(F.max_by(F.struct(*diary.columns), "finished").alias("line"))
    rows = newest.select("line.*").collect()  # one per stage
    lines = {row["stage"]: _line(row.asDict()) for row in rows}
    return {name: lines[name] for name in ROAD if name in lines}


def written_lines(context: Context) -> list[Line]:
    """Return who wrote which table versions: the newest 1,000 lines, newest first, without details.

    Failed tries are among them, as they may have written tables; their rows count as 0.
    """
    diary = context.tables.read("stage_runs").where(F.col("stage").isin(*ROAD))
    diary = diary.withColumn("details", F.lit("{}"))
    diary = diary.fillna(0, ["rows_in", "rows_out"]).select(*Line.__dataclass_fields__)
    rows = diary.orderBy(F.desc("finished")).limit(REMEMBERED).collect()
    return [_line(row.asDict()) for row in rows]


def producer(written: Sequence[Line], table: str, version: int | None) -> Line | None:
    """Return the line of the stage that wrote this version of a table; None when the diary does not know."""
    return next((line for line in written if version is not None and line.writes.get(table) == version), None)


def train_lines(context: Context) -> list[Line]:
    """Return the newest 200 lines of the train stage with what they say of their models, newest first."""
    return _lines_of(context, F.col("stage") == "train", 200)


def details_of(context: Context, line: Line) -> dict[str, Any]:
    """Return the details of a line that was read without them."""
    same = (F.col("stage") == line.stage) & (F.col("run_id") == line.run_id)
    found = _lines_of(context, same & (F.col("finished") == F.lit(line.finished)), 1)
    return found[0].details if found else {}


def newest_line(context: Context, stage: str) -> Line | None:
    """Return the newest line of a stage with its details, None when it never ended well."""
    return next(iter(_lines_of(context, F.col("stage") == stage, 1)), None)


def _lines_of(context: Context, wanted: Column, limit: int) -> list[Line]:
    diary = context.tables.read("stage_runs").where(wanted & (F.col("status") == DONE))
    diary = diary.select(*Line.__dataclass_fields__)
    return [_line(row.asDict()) for row in diary.orderBy(F.desc("finished")).limit(limit).collect()]


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


def _line(row: Mapping[str, Any]) -> Line:
    return Line(**{**row, "details": json.loads(row["details"])})
