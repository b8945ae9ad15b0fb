"""Walking the road: stages one after the other, timed, in the diary, one run at a time in a workspace.

Commands beside the road that change something, such as a rollback, are run and written down likewise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module

from sequoia import log
from sequoia.config import Config
from sequoia.ingest.settings import required_raw
from sequoia.road.diary import record_failure, record_run, record_stage
from sequoia.road.stage import Context, Stage, StageResult
from sequoia.road.stages import ROAD

PACKAGES = {"train": "training"}
LONGEST_SAID = 2000  # characters in the diary, from the end: a clean names all that it removed, then the sum


def load_stage(name: str) -> Stage:
    """Return the stage of that name (a key of ROAD), imported now."""
    module = import_module(f"sequoia.{PACKAGES.get(name, name)}.stage")
    return Stage(name=name, help=ROAD[name], run=module.run)


def run_named(name: str, context: Context) -> StageResult:
    """Run the stage of that name."""
    return run_stage(load_stage(name), context)


def run_stage(stage: Stage, context: Context) -> StageResult:
    """Run one stage, show its counts, and append it to the stage_runs table, failed or not.

    The first stage of a process also records what the run runs with. The stage's error passes through.
    """

    def run(context: Context) -> StageResult:
        _ = context.spark  # the session of this thread is that of all that the stage starts
        return stage.run(context)

    with log.lines_of(stage.name):
        result, seconds = _written_down(stage.name, context, run)
        context.say(
            f"{stage.name}: {result.rows_in:,} rows in, {result.rows_out:,} rows out, {seconds:.1f} s"
        )
    return result


def run_command(name: str, context: Context, command: Callable[[Context], str]) -> None:
    """Run a command that is no stage, holding the workspace's lock; show what it says and append it likewise.

    The command's error passes through.
    """

    def run(context: Context) -> StageResult:
        said = command(context)
        print(said, flush=True)  # it is done, whatever becomes of the diary
        return StageResult(rows_in=0, rows_out=0, details={"said": said[-LONGEST_SAID:]})

    with context.locked(), log.lines_of(name):
        _written_down(name, context, run)


def _written_down(
    name: str, context: Context, run: Callable[[Context], StageResult]
) -> tuple[StageResult, float]:
    """Run a stage or command, and append it to the diary with the seconds it took."""
    if not context.recorded:
        record_run(context)
        context.recorded = True
    context.tables.start_stage()
    started = time.perf_counter()
    try:
        result = run(context)
    except (Exception, KeyboardInterrupt) as error:
        record_failure(context, name, time.perf_counter() - started, error)
        raise
    seconds = time.perf_counter() - started
    record_stage(context, name, seconds, result)
    return result, seconds


def run_stages(
    names: Sequence[str], config: Config, *, then: Callable[[Context], None] | None = None
) -> dict[str, StageResult]:
    """Run stages in one Spark session, holding the workspace's lock, and `then` before it is given back."""
    if "ingest" in names:
        required_raw(config.ingest)  # told at once, before Spark starts
    context = Context(config)
    results = {}
    with context.locked() as lock:
        for name in names:
            lock.check()
            results[name] = run_named(name, context)
        if then is not None:
            then(context)
    return results
