"""The accounts of a file add up, or the ingest ends."""

from __future__ import annotations

import pytest

from sequoia.ingest.accounts import Fate, account
from sequoia.ingest.bronze import Held
from sequoia.ingest.files.find import RawFile
from sequoia.ingest.files.inputs import Input

VERSIONS = {"events": 3, "products": 1}
FILE = RawFile(path="/raw/a.csv", source="a.csv", root="/raw", kind="lines", bytes=100, stamp="1")
ENTRY = Input(file=FILE, form="ratings", fingerprint="f")
READ = Held(fingerprint="f", lines=10, bad=2)


def test_what_was_compared_and_is_not_kept_is_a_duplicate() -> None:
    found = account(ENTRY, READ, Fate(good=8, kept=5), VERSIONS)
    assert (found.lines, found.kept, found.quarantined, found.duplicates) == (10, 5, 2, 3)


def test_a_file_without_rows_has_an_account_of_zeros() -> None:
    found = account(ENTRY, None, None, VERSIONS)
    assert (found.lines, found.kept, found.quarantined, found.duplicates) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("read", "fate"),
    [
        (READ, Fate(good=7, kept=7)),  # a line was lost between bronze and silver
        (READ, Fate(good=9, kept=5)),  # or came twice
        (READ, Fate(good=8, kept=9)),
        (READ, None),
        (None, Fate(good=1, kept=1)),
    ],
)
def test_lines_that_are_lost_on_the_way_end_the_ingest(read: Held | None, fate: Fate | None) -> None:
    with pytest.raises(RuntimeError, match=r"the accounts of a\.csv do not add up: lines \d+"):
        account(ENTRY, read, fate, VERSIONS)
