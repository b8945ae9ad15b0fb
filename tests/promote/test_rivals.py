"""Two promoters at one moment: one moves the alias, the other is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest
from promote.world import GOOD, POOR, alias_of, evaluated, train, versions

from sequoia.errors import LockHeldError
from sequoia.promote import intent, stage
from sequoia.promote.stage import run
from sequoia.road.stage import Context
from sequoia.tracking.connection import connect

PROMOTE = """
import os, time
from pathlib import Path
from sequoia.cli import main
from sequoia.promote import stage
decide = stage.decide
def wait(*given):
    decision = decide(*given)
    Path(os.environ["OWN"]).touch()
    while not Path(os.environ["OTHER"]).exists():
        time.sleep(0.005)
    return decision
stage.decide = wait
main()
"""


@pytest.fixture
def two_workspaces(with_store: None, make_context: Callable[..., Context], tmp_path: Path) -> list[Context]:
    """Return two workspaces that share a registry, each with a model of its own to promote."""
    shared = f"tracking.uri=sqlite:///{tmp_path / 'workspace' / 'mlflow.db'}"
    found = []
    for number in (1, 2):
        context = make_context(shared, f"workspace={tmp_path / f'rival{number}'}")
        train(context, "one", counting=number, sasrec=number)
        evaluated(context, counting=POOR, sasrec=GOOD)
        found.append(context)
    return found


def test_two_threads(two_workspaces: list[Context], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intent, "SETTLE", 1.0)
    start, decide, told, won = Barrier(2), stage.decide, [], []

    def together(*given: object) -> object:
        decision = decide(*given)  # type: ignore[arg-type]
        start.wait()
        return decision

    def promote(context: Context) -> None:
        try:
            won.append(run(context).details["model"]["version"])
        except LockHeldError as error:
            told.append(str(error))

    monkeypatch.setattr(stage, "decide", together)
    rivals = [Thread(target=promote, args=(context,)) for context in two_workspaces]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert (won, len(told)) == (["1"], 1)
    assert alias_of(two_workspaces[0]) == "1"
    assert len(versions(two_workspaces[0])) == 1
    assert intent.read(connect(two_workspaces[0].config), "champion") is None


@pytest.mark.slow
def test_two_processes(two_workspaces: list[Context], tmp_path: Path) -> None:
    running = []
    for number, context in enumerate(two_workspaces):
        settings = [f"workspace={context.config.workspace}", f"tracking.uri={context.config.tracking.uri}"]
        own, other = (str(tmp_path / f"ready{one}") for one in (number, 1 - number))
        command = [sys.executable, "-c", PROMOTE, "promote", *settings, "spark.driver_memory=1g"]
        environment = {**os.environ, "OWN": own, "OTHER": other}
        running.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    ended = [(process.communicate()[1], process.returncode) for process in running]
    assert sorted(code for _, code in ended) == [0, 4], ended
    ((told, _),) = [one for one in ended if one[1] == 4]
    assert told.splitlines()[-1].startswith(
        "sequoia: alias champion of registered model sequoia-next-item is "
    )
    assert alias_of(two_workspaces[0]) == "1"
    assert len(versions(two_workspaces[0])) == 1
