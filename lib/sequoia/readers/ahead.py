"""An iterator that works ahead in a thread of its own."""

from __future__ import annotations

from collections.abc import Generator
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Generator[T, None, None], depth: int) -> Generator[T, None, None]:
    """Yield what an iterator yields, of which up to `depth` are made before they are asked for.

    What it raises is raised here. Closing this iterator closes the other one, in its thread.
    """
    made: Queue[object] = Queue(maxsize=depth)
    stopped, failure = Event(), []

    def work() -> None:
        try:
            for item in items:
                made.put(item)
                if stopped.is_set():
                    break
        except BaseException as error:
            failure.append(error)
        finally:
            items.close()
            made.put(_END)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            yield item  # type: ignore[misc]
        if failure:
            raise failure[0]
    finally:
        stopped.set()
        while thread.is_alive():
            while not made.empty():
                made.get()
            thread.join(0.01)
