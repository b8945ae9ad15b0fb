"""Lines on standard error: as text, as JSON, and without secrets whichever way they come."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from sequoia import log
from sequoia.distributed.launch import Order, launch

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    yield
    log.start()


def test_text_looks_as_it_always_did(capsys: Captured) -> None:
    log.start(run_id="r1")
    with log.lines_of("train"):
        log.LOGGER.info("sasrec epoch %d", 1)
        log.LOGGER.warning("slow")
        log.LOGGER.debug("unseen")
    log.LOGGER.error("no such file: name another", extra=log.FINAL)
    assert capsys.readouterr().err.splitlines() == [
        "==> train",
        "    sasrec epoch 1",
        "    warning: slow",
        "sequoia: no such file: name another",
    ]


def test_json_is_one_object_a_line_with_run_and_stage(capsys: Captured) -> None:
    log.start("json", "debug", run_id="r1")
    with log.lines_of("train"):
        log.LOGGER.info("epoch 1\nof 2")
        try:
            raise ValueError("http://me:pa55@host is down")
        except ValueError:
            log.LOGGER.exception("failed")
    log.LOGGER.debug("after")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["stage"], line["message"]) for line in lines] == [
        ("info", "train", "train"),
        ("info", "train", "epoch 1\nof 2"),
        ("error", "train", "failed"),
        ("debug", None, "after"),
    ]
    assert {line["run_id"] for line in lines} == {"r1"}
    assert all(line["time"].endswith("+00:00") for line in lines)
    assert "ValueError: http://me:***@host is down" in lines[2]["exception"]


def test_a_level_hides_what_lies_below(capsys: Captured) -> None:
    log.start("text", "warning")
    with log.lines_of("train"):
        log.LOGGER.info("unseen")
        log.LOGGER.warning("seen")
    assert capsys.readouterr().err == "    warning: seen\n"


def test_secrets_are_hidden_in_messages_and_their_arguments(capsys: Captured) -> None:
    log.start()
    log.LOGGER.info("store %s, %s", "http://me:pa55@host", "token=pa55")
    assert capsys.readouterr().err == "    store http://me:***@host, token=***\n"


def test_other_packages_take_the_same_way_out(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    root, own = logging.getLogger(), logging.getLogger("somebody.else")
    monkeypatch.setattr(root, "handlers", [])
    log.start("json")
    logging.captureWarnings(False)  # as other tests may have left it
    log.capture_others()
    try:
        own.warning("cannot reach http://me:pa55@host")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old: password=pa55", stacklevel=1)
    finally:
        logging.captureWarnings(False)
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["logger"], first["message"]) == ("somebody.else", "cannot reach http://me:***@host")
    assert second["logger"] == "py.warnings"
    assert "password=***" in second["message"]


def test_a_package_with_handlers_of_its_own_is_redacted_there(capsys: Captured) -> None:
    logger = logging.getLogger("own.handlers")
    logger.addHandler(log.StandardError())
    for _ in range(2):
        log.hide_secrets_of("own.handlers")
    logger.warning("to %s", "http://me:pa55@host")
    assert capsys.readouterr().err.splitlines()[0] == "to http://me:***@host"
    assert len(logger.handlers[0].filters) == 1


def test_lines_of_training_processes_pass_through(capsys: Captured) -> None:
    log.start("json", run_id="r1")
    with log.lines_of("train"):
        order = Order(
            module="timeit",
            arguments=["-n1", "-r1", "print('    epoch 1 from http://me:pa55@host')"],
            launcher="single",
            processes=1,
            threads=1,
            timeout_seconds=60,
        )
        launch(order)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (lines[1]["stage"], lines[1]["message"]) == ("train", "epoch 1 from http://me:***@host")
