"""Write summary.json and report.html from what the stages left in the tables.

Reads `stage_runs`, `kcore`, `interactions`, `sequences`, `promotions`, `recommendations` and `files`, and
asks the registry where the model comes from. The diary must be there; whatever else is gone by now (dropped,
vacuumed, deleted in MLflow) is said to be so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sequoia.local_files import replace_text
from sequoia.report.decisions import last_decisions
from sequoia.report.diary import REPORT, Line, latest_lines, require_road
from sequoia.report.gone import Reader
from sequoia.report.lineage import trace
from sequoia.report.page import Evidence, render_page
from sequoia.report.ran import ran_with
from sequoia.report.shapes import count_shapes, read_rounds
from sequoia.report.summarise import PAGE, SUMMARY, result_paths, summarise, write_summary
from sequoia.report.summary import Summary
from sequoia.road.stage import Context, StageResult
from sequoia.secrets import redact_values
from sequoia.spark import in_session


def run(context: Context) -> StageResult:
    """Write both documents; rows in are the interactions counted for plots, rows out the two documents.

    Raises UserError naming the first stage that has not run; then nothing is written.
    """
    started = time.perf_counter()
    lines = latest_lines(context)
    require_road(lines)
    lines.pop(REPORT, None)
    summary = summarise(lines, result_paths(context.config))
    context.say("counting interactions and sequences for the plots")
    evidence = gather(context, summary, lines)
    workspace = context.config.workspace_path
    replace_text(workspace / PAGE, redact_values(render_page(context.config, evidence)))
    rows = sum(evidence.shapes.events.values())
    own = _own_line(context, time.perf_counter() - started, rows)
    write_summary(workspace, summarise({**lines, REPORT: own}, result_paths(context.config)))
    context.say(f"wrote {SUMMARY} and {PAGE} in {workspace}")
    return StageResult(rows_in=rows, rows_out=own.rows_out, details={"documents": [SUMMARY, PAGE]})


def gather(context: Context, summary: Summary, lines: Mapping[str, Line]) -> Evidence:
    """Read what the page shows beside the diary; what is gone by now is empty and named."""
    reader = Reader()
    with ThreadPoolExecutor(1) as pool:  # reading Delta's logs leaves the cores idle
        counting = pool.submit(in_session(lambda: count_shapes(context, reader)))
        rounds = reader.read("kcore", lambda: read_rounds(context)) or []
        decisions = reader.read("promotions", lambda: last_decisions(context)) or []
        ran = ran_with(context, lines.values())
        lineage = trace(context, lines["recommend"])
        shapes = counting.result()
    return Evidence(
        summary=summary,
        lines=lines,
        shapes=shapes,
        rounds=rounds,
        decisions=decisions,
        lineage=lineage,
        gone=reader.gone,
        ran=ran,
    )


def _own_line(context: Context, seconds: float, rows: int) -> Line:
    """Return the line the diary gets when this stage has ended, with the seconds so far."""
    return Line(
        stage=REPORT,
        run_id=context.run_id,
        finished=datetime.now(UTC),
        seconds=seconds,
        rows_in=rows,
        rows_out=2,
        details={},
        reads={},
        writes={},
    )
