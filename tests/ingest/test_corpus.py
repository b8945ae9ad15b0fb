"""The generated corpus counts its own lines and dirt: an account of the same files by other hands."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from sequoia.config import load_config
from sequoia.ingest.bronze_rows import rows_of
from sequoia.ingest.files.chunks import Chunk
from sequoia.ingest.files.find import find_files
from sequoia.ingest.files.first_look import look
from sequoia.ingest.files.recognise import recognise
from sequoia.synthetic.corpus import write_corpus


def test_lines_quarantine_and_duplicates_are_those_that_were_written(tmp_path: Path) -> None:
    config = load_config(overrides=["synthetic.users=3000"])
    written = {file.name: file for file in write_corpus(tmp_path, config.synthetic).files}
    found = find_files(str(tmp_path), None)
    assert {file.source for file in found} == written.keys()
    for file in found:
        truth = written[file.source]
        form = recognise(file, config.ingest)
        assert form == truth.format
        look(file, form, config.ingest)
        rows = pa.concat_tables(rows_of(Chunk(file=file, form=form, fingerprint=""), config.ingest))
        good = rows.filter(pa.compute.is_null(rows.column("reason")))
        keys = ["item"] if form == "metadata" else ["user", "item", "time"]
        assert len(rows) == truth.lines
        assert len(rows) - len(good) == sum(truth.malformed.values())
        assert len(good.group_by(keys).aggregate([])) == truth.kept
