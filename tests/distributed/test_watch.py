"""Which process is to blame, told from signs of life; the clock is turned by hand."""

from __future__ import annotations

from sequoia.distributed.watch import BEAT, Watch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(watch: Watch, clock: Clock, seconds: int, *beats: str) -> str | None:
    """Let time pass in which these beats come every second; return what is said at the end."""
    for _ in range(seconds):
        clock.now += 1
        for beat in beats:
            assert watch.hears(f"{BEAT}{beat}")
    return watch.stuck()


def start() -> tuple[Watch, Clock]:
    clock = Clock()
    watch = Watch(20.0, clock)
    assert told(watch, clock, 1, "0 5 0", "1 5 0") is None
    return watch, clock


def test_other_lines_are_no_beats() -> None:
    assert not Watch(20.0).hears("    sasrec epoch 1")


def test_nobody_is_stuck_while_all_move() -> None:
    watch, clock = start()
    for done in range(6, 60):
        assert told(watch, clock, 1, f"0 {done} 1", f"1 {done} 0") is None


def test_the_one_that_does_not_wait_is_stuck() -> None:
    watch, clock = start()
    assert told(watch, clock, 18, "0 5 1", "1 5 0") is None
    sentence = told(watch, clock, 2, "0 5 1", "1 5 0")
    assert sentence is not None
    assert sentence.startswith(
        "process 1 of 2 is stuck: nothing was done for 20 s (training.timeout_seconds)"
    )


def test_a_silent_one_gives_no_sign_of_life() -> None:
    watch, clock = start()
    sentence = told(watch, clock, 20, "0 5 1")
    assert sentence is not None
    assert sentence.startswith("process 1 of 2 gives no sign of life")


def test_where_all_wait_all_are_stuck() -> None:
    watch, clock = start()
    sentence = told(watch, clock, 20, "0 5 1", "1 5 1")
    assert sentence is not None
    assert sentence.startswith("process 0 and 1 of 2 is stuck")
