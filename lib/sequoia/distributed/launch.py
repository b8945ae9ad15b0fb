"""Start the processes of one training, here or in Spark's tasks, and listen to them until they have ended.

All of them run the same module with the same arguments; inside, `connect` joins the group, and `send_note`
tells the launching process how things go.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol

from sequoia.distributed.watch import Watch
from sequoia.errors import user_error_in
from sequoia.log import LOGGER

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Of the time without progress: by then the watch has ended the group, and said which process is to blame.
COLLECTIVES_LAST = 2
IN_SPARK = ("horovod-spark", "torch-distributor")
NOTE = "sequoia-note: "
TAIL = 100  # lines: torchrun ends with 30 of its own, behind the traces of all processes


def send_note(note: dict[str, Any]) -> None:
    """Hand JSON-like values to the `on_note` of the process that launched this one."""
    say(f"{NOTE}{json.dumps(note)}")


def say(line: str) -> None:
    """Write a line in one piece: other threads and processes write to the same place."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to run, and where.

    module: its `work(arguments)` joins the group, does the work and leaves; run as `python -m` it ends the
    process, too. hosts: of horovod, such as gpu1:4,gpu2:4; None for this machine. spark: of the launchers
    that start processes in its tasks.
    """

    module: str
    arguments: list[str]
    launcher: str
    processes: int
    threads: int
    timeout_seconds: int
    hosts: str | None = None
    device: str = "cpu"
    spark: SparkSession | None = None


class Processes(Protocol):
    """The processes of a group."""

    def listen(self, hear: Callable[[str], None]) -> None:
        """Hand over the lines that they write, until all have ended; raises what `hear` raises."""
        ...

    def stop(self) -> None:
        """Ask them to end."""
        ...

    def kill(self) -> None:
        """End them."""
        ...

    def end(self, tail: str) -> str | None:
        """Return how they ended, None when all went well; tail: the last lines."""
        ...


def launch(order: Order, on_note: Callable[[dict[str, Any]], None] = lambda note: None) -> None:
    """Run a module on a group of processes and pass their lines on to the log.

    Raises UserError with the sentence of a process that refused its input, or when the launcher is not
    installed; RuntimeError with the last lines when a process died, or with its rank when one is stuck. What
    `on_note` raises ends the group.
    """
    processes = _start(order)
    heard = _Heard(on_note)
    guard = _Guard(processes, Watch(order.timeout_seconds))
    try:
        processes.listen(lambda line: None if guard.watch.hears(line) else heard.take(line))
    except BaseException:
        processes.stop()
        raise
    finally:
        guard.ended.set()
    ended = processes.end("\n".join(heard.tail))
    if ended is not None:
        if heard.mistake is not None:
            raise heard.mistake
        if guard.stuck is not None:
            raise RuntimeError(guard.stuck)
        raise RuntimeError("\n".join([f"{ended}; the last lines of {order.launcher}:", *heard.tail]))


def _start(order: Order) -> Processes:
    if order.launcher in IN_SPARK:
        from sequoia.distributed.spark_processes import SparkProcesses

        return SparkProcesses(order)
    from sequoia.distributed.child_processes import ChildProcesses

    return ChildProcesses(order)


class _Heard:
    """What the processes said: the last lines, the first user's mistake; notes are handed on."""

    def __init__(self, on_note: Callable[[dict[str, Any]], None]) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.mistake: Exception | None = None
        self._on_note = on_note

    def take(self, line: str) -> None:
        """Take a line that was no beat."""
        self.tail.append(line)
        self.mistake = self.mistake or user_error_in(line)
        if line.startswith("    "):
            LOGGER.info("%s", line.strip())
        elif line.startswith(NOTE):
            self._on_note(json.loads(line.removeprefix(NOTE)))


class _Guard(Thread):
    """Kills the processes of a group of which one is stuck; `stuck` says which."""

    def __init__(self, processes: Processes, watch: Watch) -> None:
        super().__init__(daemon=True)
        self.watch, self.ended = watch, Event()
        self.stuck: str | None = None
        self._processes = processes
        self.start()

    def run(self) -> None:
        """Look once a second."""
        while not self.ended.wait(1.0):
            self.stuck = self.watch.stuck()
            if self.stuck is not None:
                self._processes.kill()
                return
