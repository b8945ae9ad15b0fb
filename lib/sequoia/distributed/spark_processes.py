"""Processes of a group in the tasks of a Spark job: by horovod.spark.run, or by Spark's TorchDistributor.

Each of them connects to this process, which hears by that connection what they write and when one dies, and
ends them by closing it. So they end when the driver does.
"""

from __future__ import annotations

import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from io import StringIO
from queue import SimpleQueue
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any

from sequoia.distributed.child_processes import of_horovod
from sequoia.distributed.launch import Order
from sequoia.distributed.spark_worker import GOODBYE, make_task
from sequoia.errors import UserError

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

HELLO_SECONDS = 10.0
HELLO_LENGTH = 100
LAST_LINES_SECONDS = 10.0


class SparkProcesses:
    """A Spark job of as many tasks as processes."""

    def __init__(self, order: Order) -> None:
        spark = _classic(order.spark, order)
        start = _starter(order, spark)
        self._order = order
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._died: list[int] = []
        self._failure: Exception | None = None
        self._not_heard: Exception | None = None
        self._token = secrets.token_hex(16)
        self._server = socket.create_server(("", 0))
        self._closed = False
        self._channels: list[socket.socket] = []
        self._listeners: list[Thread] = []
        home = spark.conf.get("spark.driver.host") or socket.gethostname(), self._server.getsockname()[1]
        environment = of_horovod(order.timeout_seconds)
        task = make_task(sys.path, home, self._token, environment, order.module, order.arguments)
        self._job = partial(start, task)

    def listen(self, hear: Callable[[str], None]) -> None:
        """Run the job, and hand over what the processes write."""
        # From a thread: Horovod sets signal handlers, which only the main thread may.
        Thread(target=self._accept, daemon=True).start()
        hearing = Thread(target=copy_context().run, args=(self._hand_over, hear), daemon=True)
        hearing.start()
        try:
            with _own_signals():
                self._job()
        except Exception as failure:
            self._failure = failure
        except BaseException:
            self.kill()
            raise
        finally:
            self._close()
            for listener in self._listeners:
                listener.join(LAST_LINES_SECONDS)
            self._lines.put(None)
            hearing.join()
        if self._not_heard is not None:
            raise self._not_heard

    def stop(self) -> None:
        """End them: who is left alone ends itself."""
        self.kill()

    def kill(self) -> None:
        """End them, also those that are not connected yet."""
        self._close()
        for channel in self._channels:
            with suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)

    def end(self, tail: str) -> str | None:
        """Return which process died first or what Spark says, None when all went well."""
        if self._failure is None:
            return None
        if self._died:
            return f"process {self._died[0]} died"
        return f"training under {self._order.launcher} failed: {' '.join(str(self._failure).split())[:1000]}"

    def _close(self) -> None:
        """Take no more connections; a thread that waits for one learns of it only by the shutdown."""
        self._closed = True
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _hand_over(self, hear: Callable[[str], None]) -> None:
        while (line := self._lines.get()) is not None:
            try:
                if self._not_heard is None:
                    hear(line)
            except Exception as error:
                self._not_heard = error
                self.kill()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                channel, _ = self._server.accept()
                if self._closed:
                    channel.close()
                    return
                self._channels.append(channel)
                self._listeners.append(Thread(target=self._listen, args=(channel,), daemon=True))
                self._listeners[-1].start()

    def _listen(self, channel: socket.socket) -> None:
        """Take the lines of one process; its first says that it belongs here, and its rank."""
        with channel, channel.makefile("r", encoding="utf-8", errors="replace") as lines:
            channel.settimeout(HELLO_SECONDS)
            try:
                token, _, rank = lines.readline(HELLO_LENGTH).rstrip("\n").partition(" ")
            except OSError:
                return
            if not secrets.compare_digest(token.encode(), self._token.encode()):
                return
            channel.settimeout(None)
            well = False
            with suppress(OSError):  # a process that was killed resets its connection
                for line in lines:  # to the end: it takes a connection that is closed here as an order to end
                    well = well or line.rstrip("\n") == GOODBYE
                    if not well:
                        self._lines.put(line.rstrip("\n"))
            if not well:
                self._died.append(int(rank))


def _classic(spark: SparkSession | None, order: Order) -> SparkSession:
    """Return the session of an order; raises UserError where it cannot run so many tasks side by side."""
    from pyspark.sql.utils import is_remote

    assert spark is not None, f"{order.launcher} needs a Spark session"
    if is_remote():
        raise UserError(
            f"training.launcher = {order.launcher} needs Spark's own driver, and this session is one of "
            "Spark Connect: run the job on the cluster itself, or set training.launcher=torchrun"
        )
    slots = _slots(spark.sparkContext)
    if slots is not None and slots < order.processes:
        raise UserError(
            f"training.processes = {order.processes} is more than the tasks that Spark runs side by side "
            f"here ({slots}): lower it, or give Spark more cores"
        )
    return spark


def _slots(context: SparkContext) -> int | None:
    """Return how many tasks run side by side, None where that may grow or is not told."""
    grows = context.getConf().get("spark.dynamicAllocation.enabled", "false") == "true"
    if grows or context.getConf().contains("spark.default.parallelism"):
        return None
    return int(context.defaultParallelism) // int(context.getConf().get("spark.task.cpus", "1"))


def _starter(order: Order, spark: SparkSession) -> Callable[[Callable[[], None]], Any]:
    """Return what starts a task for every process and waits for them."""
    if order.launcher == "torch-distributor":
        from pyspark.ml.torch.distributor import TorchDistributor

        gpus = order.device != "cpu" and _has_gpu(spark)
        # Made here: it takes the session that is active in its thread.
        distributor = TorchDistributor(num_processes=order.processes, local_mode=False, use_gpu=gpus)
        return distributor.run
    try:
        import horovod.spark
    except ImportError:
        raise UserError(
            "launcher horovod-spark needs Horovod, which is not installed here: run `make setup`, or set "
            "training.launcher=torch-distributor"
        ) from None
    return partial(
        horovod.spark.run,
        num_proc=order.processes,
        start_timeout=order.timeout_seconds,
        use_gloo=True,
        verbose=0,
        stdout=StringIO(),  # what they write comes by their own connection
        stderr=StringIO(),
    )


def _has_gpu(spark: SparkSession) -> bool:
    """Say whether a task has a GPU; raises UserError where it is not one of its own."""
    amount = float(spark.conf.get("spark.task.resource.gpu.amount", "0") or 0)
    if amount not in (0, 1):
        raise UserError(
            f"spark.task.resource.gpu.amount = {amount:g}: under training.launcher=torch-distributor a task "
            "has a GPU of its own: set it to 1, or training.device=cpu"
        )
    return amount == 1


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put the handlers of Ctrl-C and SIGTERM back: horovod.spark.run leaves some that do nothing more."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if current_thread() is main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
